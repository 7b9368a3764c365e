import type { FileFacts, Host } from '../../src/hosts/host.ts';
import type { ProcessEntry } from './processes.ts';

/** Whose rights a process has. */
export interface RunsAs {
  user: number;
  /** All its groups; null where only Linux would tell. */
  groups: readonly number[] | null;
}

/** The rights of a process as the kernel sees them now, or the little that `ps` knows. */
export async function runsAs(host: Host, process: ProcessEntry): Promise<RunsAs> {
  const read = await host.readFile(`/proc/${process.pid}/status`, { maxBytes: 8192 });
  return (read.ok ? parseRights(read.value.text) : null) ?? { user: process.user, groups: null };
}

/** `/proc/PID/status`: of the four ids in a line the last (file system) is the one that counts for files. */
export function parseRights(status: string): RunsAs | null {
  const numbers = (field: string) =>
    (new RegExp(`^${field}:[ \\t]*(.*)$`, 'm').exec(status)?.[1] ?? '').split(/\s+/).filter(Boolean).map(Number);
  const user = numbers('Uid').at(-1);
  const group = numbers('Gid').at(-1);
  return user === undefined || group === undefined ? null : { user, groups: [group, ...numbers('Groups')] };
}

/** Whether owner and mode let it write there; access lists and read-only file systems are not looked at. Null: not known. */
export function mayWrite({ user, groups }: RunsAs, { owner, group, mode }: FileFacts): boolean | null {
  if (user === 0) return true;
  if (owner === user) return (mode & 0o200) !== 0;
  if (groups === null) return (mode & 0o022) === 0 ? false : (mode & 0o022) === 0o022 ? true : null;
  return (mode & (groups.includes(group) ? 0o020 : 0o002)) !== 0;
}
