import type { z } from 'zod';
import type { CheckConfig } from './checks.ts';
import type { Config, configSchema, Service } from './schema.ts';
import { machineName, serviceSchema } from './schema.ts';

type MachineSettings = NonNullable<z.output<typeof configSchema>['machine']>;

/** A machine is looked at three times before it is believed: load and memory have short peaks. */
const MACHINE_FAILS = 3;
const WITHIN_MS = 5000;
const DISK = { warn: 80, critical: 90 };
const MEMORY = { warn: 80, critical: 90 };

const over = (percent: number | undefined) =>
  percent === undefined ? undefined : { operator: '>' as const, value: percent, text: `${percent}%` };

/** The limits written, else the defaults; a default never stands on the wrong side of what was written. */
function withDefaults(
  written: { warn?: number | undefined; critical?: number | undefined },
  defaults?: { warn: number; critical: number },
) {
  const none = written.warn === undefined && written.critical === undefined;
  const critical =
    written.critical ?? (none || (written.warn ?? 0) < (defaults?.critical ?? 0) ? defaults?.critical : undefined);
  const warn = written.warn ?? (none || (critical ?? 0) > (defaults?.warn ?? 0) ? defaults?.warn : undefined);
  return {
    ...(warn === undefined ? {} : { warn: over(warn) }),
    ...(critical === undefined ? {} : { critical: over(critical) }),
  };
}

const diskName = (path: string): string => {
  const words = path.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^-+|-+$/g, '');
  return words === '' ? 'disk' : `disk-${words}`;
};

/** Disk and memory are watched unless `machine:` is written: then what stands there is all, and `machine: {}` is nothing. */
const DEFAULT_CHECKS: MachineSettings = { disk: { path: '/' }, memory: {} };

/** The pseudo-service that stands for a host: its disks, its memory and, where limits are written, its processor. */
export function machineService(host: string, written: MachineSettings | undefined, everyMs: Config['every']): Service {
  const machine = written ?? DEFAULT_CHECKS;
  const service = machineName(host);
  const common = (name: string) => ({
    key: `${service}/${name}`,
    name,
    service,
    everyMs,
    withinMs: WITHIN_MS,
    fails: MACHINE_FAILS,
    of: MACHINE_FAILS,
    as: 'critical' as const,
  });
  const disks = machine.disk === undefined ? [] : [machine.disk].flat();
  const checks: CheckConfig[] = disks.map((disk) => ({
    ...common(diskName(disk.path)),
    kind: 'disk',
    settings: { disk: disk.path, ...withDefaults(disk, DISK) },
  }));
  if (machine.memory)
    checks.push({
      ...common('memory'),
      kind: 'memory',
      settings: { memory: 'machine', ...withDefaults(machine.memory, MEMORY) },
    });
  if (machine.cpu)
    checks.push({ ...common('cpu'), kind: 'cpu', settings: { cpu: 'machine', ...withDefaults(machine.cpu) } });
  const { checks: _, logs: __, depends_on: ___, ...rest } = serviceSchema.parse({ manager: 'process', host });
  return { ...rest, name: service, unit: service, logs: [], dependsOn: [], checks, machine: true };
}
