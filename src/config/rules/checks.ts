import { messageOf } from '../../base/outcome.ts';
import { checkNames } from '../check-names.ts';
import { type Limit, limit } from '../checks.ts';
import type { Finding } from '../explain.ts';
import { nearest } from '../nearest.ts';
import type { PathPart } from '../problem.ts';
import { machineName } from '../schema.ts';
import { type LooseInventory, recordAt, textOf } from './inventory.ts';

const asLimit = (value: unknown): Limit | null => {
  const parsed = limit.safeParse(value);
  return parsed.success ? parsed.data : null;
};

/** True when the warning would come after the critical verdict, or together with it for ever. */
function outOfOrder(settings: Readonly<Record<string, unknown>>, lessIsWorse: boolean): boolean {
  const warn = asLimit(settings.warn);
  const critical = asLimit(settings.critical);
  if (!warn || !critical || warn.operator !== critical.operator || /[=!]=/.test(warn.operator.slice(0, 2)))
    return false;
  const downwards = lessIsWorse !== warn.operator.startsWith('<');
  return downwards ? warn.value < critical.value : warn.value > critical.value;
}

function order(root: unknown, path: PathPart[], lessIsWorse = false): Finding[] {
  if (!outOfOrder(recordAt(root, path), lessIsWorse)) return [];
  const message = 'warn lies beyond critical, so that it would never be seen; warn must be reached first';
  return [{ path: [...path, 'warn'], at: 'value', message }];
}

const machineFindings = (root: unknown): Finding[] => {
  const disk = recordAt(root, ['machine']).disk;
  const disks: PathPart[][] = Array.isArray(disk)
    ? disk.map((_, index) => ['machine', 'disk', index])
    : [['machine', 'disk']];
  return [...disks, ['machine', 'memory'], ['machine', 'cpu']].flatMap((path) => order(root, path));
};

/** SERVICE/CHECK of everything that is measured. */
function checkKeys({ root, hosts, services }: LooseInventory): string[] {
  const own = services.flatMap((service) => checkNames(service.checks).map((name) => `${service.name}/${name}`));
  const written =
    recordAt(root, []).machine === undefined ? ['disk', 'memory'] : Object.keys(recordAt(root, ['machine']));
  const kinds = ['disk', 'memory', 'cpu'].filter((kind) => written.includes(kind));
  const machines = ['local', ...hosts.keys()].map(machineName);
  return [...own, ...machines.flatMap((machine) => kinds.map((kind) => `${machine}/${kind}`))];
}

/** What a check's own schema cannot see: limits in the wrong order, patterns that are none, other checks that are not there. */
export function checkFindings(inventory: LooseInventory): Finding[] {
  const { root, services } = inventory;
  const keys = checkKeys(inventory);
  const findings = machineFindings(root);
  for (const service of services) {
    const names = checkNames(service.checks);
    service.checks.forEach((check, index) => {
      const { path, settings, kind } = check;
      findings.push(...order(root, path, kind === 'certificate'));
      if (kind === 'http') findings.push(...order(root, [...path, 'expires'], true));
      if (kind === 'disk') findings.push(...order(root, [...path, 'inodes']));
      if (kind === 'metric') findings.push(...order(root, [...path, 'change']));
      const { fails, of } = settings;
      if (typeof of === 'number' && of < (typeof fails === 'number' ? fails : 1))
        findings.push({
          path: [...path, 'of'],
          at: 'value',
          message: `fails: ${fails} of the last ${of} cannot happen`,
        });
      if (kind === 'log_rate') {
        try {
          new RegExp(String(settings.log_rate));
        } catch (error) {
          const why = messageOf(error).replace(/^Invalid regular expression: /, '');
          findings.push({
            path: [...path, 'log_rate'],
            at: 'value',
            message: `a regular expression was expected: ${why}`,
          });
        }
      }
      const wanted = kind === 'metric' ? textOf(recordAt(settings, ['metric']).check) : null;
      const own = `${service.name}/${names[index]}`;
      if (wanted === null || (keys.includes(wanted) && wanted !== own)) return;
      const meant = nearest(
        wanted.includes('/') ? wanted : `${service.name}/${wanted}`,
        keys.filter((key) => key !== own),
      );
      findings.push({
        path: [...path, 'metric', 'check'],
        at: 'value',
        message:
          wanted === own
            ? 'a metric cannot be made from itself'
            : `there is no check ${wanted.slice(0, 80)}; SERVICE/CHECK was expected`,
        ...(meant === null ? {} : { suggestion: meant }),
      });
    });
  }
  return findings;
}
