import type { Finding } from '../explain.ts';
import { type LooseInventory, recordAt, textOf } from './inventory.ts';
import { hasOwnPort } from './ports.ts';

/** What a service needs in order to be found or looked after, beyond what its schema can see. */
export function serviceFindings({ hosts, services }: LooseInventory): Finding[] {
  const findings: Finding[] = [];
  for (const service of services) {
    const { settings, path } = service;
    const found = ['start', 'pid_file', 'match'].some((key) => settings[key] !== undefined);
    if (service.manager === 'process' && !found && !hasOwnPort(service, hosts))
      findings.push({
        path: [...path, 'manager'],
        at: 'value',
        message: 'nothing says which process this is: add start, pid_file, match, or a check of the port it listens on',
      });
    if (settings.rotate !== undefined && settings.rotate !== null && settings.logs === undefined)
      findings.push({
        path: [...path, 'rotate'],
        at: 'key',
        message: `rotate says how log files are rotated, but ${service.name} has no logs; add logs: FILE`,
      });
    const releases = recordAt(settings, ['releases']);
    if (textOf(releases.directory) !== null && releases.directory === releases.current)
      findings.push({
        path: [...path, 'releases', 'current'],
        at: 'value',
        message: 'the link to the release in use was expected, not the folder of all releases',
      });
  }
  return findings;
}
