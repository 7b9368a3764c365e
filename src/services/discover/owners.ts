import { kindInText } from '../../config/kind.ts';
import type { Host } from '../../hosts/host.ts';
import { type Container, containerOfCgroup } from './docker.ts';
import { kindOnPort } from './endpoints.ts';
import type { LaunchdJob } from './launchd.ts';
import type { Listener } from './listeners.ts';
import type { Pm2Program } from './pm2.ts';
import { lineage, type ProcessEntry } from './processes.ts';
import type { SupervisorProgram } from './supervisor.ts';
import { type SystemdUnit, unitOfCgroup } from './systemd.ts';

/** Everything that was found to run, before it is known what belongs together. */
export interface Sighting {
  listeners: Listener[];
  processes: ReadonlyMap<number, ProcessEntry>;
  units: SystemdUnit[];
  containers: Container[];
  programs: SupervisorProgram[];
  pm2: Pm2Program[];
  jobs: LaunchdJob[];
}

/** Who a listening port belongs to: the innermost manager that would start it again. */
export type Owner =
  | { kind: 'container'; container: Container }
  | { kind: 'supervisor'; program: SupervisorProgram }
  | { kind: 'pm2'; program: Pm2Program }
  | { kind: 'job'; job: LaunchdJob }
  | { kind: 'unit'; unit: SystemdUnit }
  | { kind: 'process'; pid: number }
  /** A part of the system itself, which is not watched. */
  | { kind: 'plumbing' }
  /** Somebody whom this user may not see. */
  | { kind: 'unknown' };

/** The control groups of processes, one text each. */
export async function readCgroups(host: Host, pids: readonly number[]): Promise<Map<number, string>> {
  const read = await Promise.all(pids.map(async (pid) => [pid, await host.readFile(`/proc/${pid}/cgroup`)] as const));
  return new Map(read.flatMap(([pid, file]) => (file.ok ? [[pid, file.value.text] as const] : [])));
}

/** The lines of `/proc/PID/cgroup` that systemd writes: cgroup v2, or its own hierarchy of v1. */
const systemdPath = (cgroup: string): string => /^(?:0:|\d+:name=systemd):(.*)$/m.exec(cgroup)?.[1] ?? cgroup;

/** The topmost process of a family that listens together: a master, not one of its workers. */
function head(pids: readonly number[], processes: Sighting['processes']): number | undefined {
  const all = new Set(pids);
  return [...pids]
    .sort((a, b) => a - b)
    .find(
      (pid) =>
        !lineage(pid, processes)
          .slice(1)
          .some((parent) => all.has(parent)),
    );
}

export function ownerOf(listener: Listener, sighting: Sighting, cgroups: ReadonlyMap<number, string>): Owner {
  const { processes, units, containers } = sighting;
  const pid = head(listener.pids, processes);
  const cgroup = (pid === undefined ? undefined : cgroups.get(pid)) ?? listener.cgroup ?? '';
  const id = containerOfCgroup(cgroup);
  const container =
    containers.find((each) => each.id === id) ?? containers.find((each) => each.ports.includes(listener.port));
  if (container) return { kind: 'container', container };
  if (id !== null) return { kind: 'plumbing' };
  const line = pid === undefined ? [] : lineage(pid, processes);
  const program = sighting.programs.find((each) => each.pid !== null && line.includes(each.pid));
  if (program) return { kind: 'supervisor', program };
  const pm2 = sighting.pm2.find((each) => each.pids.some((own) => line.includes(own)));
  if (pm2) return { kind: 'pm2', program: pm2 };
  const job = sighting.jobs.find((each) => each.pid !== null && line.includes(each.pid));
  if (job) return { kind: 'job', job };
  const named = unitOfCgroup(systemdPath(cgroup));
  const unit =
    units.find((each) => each.id === named?.id && each.user === named.user) ??
    units.find((each) => each.mainPid !== null && line.includes(each.mainPid));
  if (unit) return { kind: 'unit', unit };
  // A unit that is not in the list is one that is left out on purpose; pid 1 holds sockets for others.
  if (named !== null || (listener.pids.length > 0 && listener.pids.every((each) => each === 1)))
    return { kind: 'plumbing' };
  if (pid !== undefined) return { kind: 'process', pid };
  const kind = kindOnPort(listener.port, '');
  const guess = kind === undefined ? [] : units.filter((each) => !each.user && kindInText(each.id) === kind);
  return guess.length === 1 && guess[0] ? { kind: 'unit', unit: guess[0] } : { kind: 'unknown' };
}
