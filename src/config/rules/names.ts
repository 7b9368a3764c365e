import type { Finding } from '../explain.ts';
import { nearest } from '../nearest.ts';
import { machineName } from '../schema.ts';
import { type LooseInventory, recordAt, textOf } from './inventory.ts';

const isReserved = (name: string): boolean => name === machineName('local') || name.startsWith('machine@');

/** Names that are taken, hosts that do not exist, check names given twice, commands undone by one that is not there. */
export function nameFindings({ root, hosts, services }: LooseInventory): Finding[] {
  const findings: Finding[] = [];
  if (hosts.has('local'))
    findings.push({
      path: ['hosts', 'local'],
      at: 'key',
      message: 'local is this machine and always there; give the other host another name',
    });
  for (const name of Object.keys(recordAt(root, ['services'])))
    if (isReserved(name))
      findings.push({
        path: ['services', name],
        at: 'key',
        message: `the name ${name} is reserved: it stands for the host itself, which is watched under "machine:"`,
      });
  for (const service of services) {
    if (service.host !== 'local' && !hosts.has(service.host)) {
      const known = ['local', ...hosts.keys()];
      const meant = nearest(service.host, known);
      findings.push({
        path: [...service.path, 'host'],
        at: 'value',
        message: `there is no host ${service.host} under hosts; known are ${known.join(', ')}`,
        ...(meant === null ? {} : { suggestion: meant }),
      });
    }
    const first = new Map<string, (typeof service.checks)[number]>();
    for (const check of service.checks) {
      if (check.name === null) continue;
      const before = first.get(check.name);
      if (before)
        findings.push({
          path: [...check.path, 'name'],
          at: 'value',
          message: `two checks of ${service.name} have the name ${check.name}`,
          also: { path: [...before.path, 'name'], at: 'value', message: 'the first one with this name' },
        });
      else first.set(check.name, check);
    }
    const commands = recordAt(service.settings, ['commands']);
    for (const name of Object.keys(commands)) {
      const undo = textOf(recordAt(commands, [name]).undo);
      if (undo === null || undo === 'none needed' || Object.hasOwn(commands, undo)) continue;
      const meant = nearest(undo, [...Object.keys(commands).filter((each) => each !== name), 'none needed']);
      findings.push({
        path: [...service.path, 'commands', name, 'undo'],
        at: 'value',
        message: `the name of another command of ${service.name} or "none needed" was expected`,
        ...(meant === null ? {} : { suggestion: meant }),
      });
    }
  }
  return findings;
}
