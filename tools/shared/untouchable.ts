import type { Host } from '../../src/hosts/host.ts';
import { vitalBecause } from '../../src/services/vital.ts';
import type { ProcessEntry } from './processes.ts';

/** Why a process is never ended or signalled by a tool, whoever asks; null when nothing speaks against it. */
export function untouchable(
  target: ProcessEntry,
  all: readonly ProcessEntry[],
  host: Pick<Host, 'kind'>,
): string | null {
  const vital = vitalBecause(target);
  if (vital !== null) return vital;
  if (host.kind === 'local' && lineageOf(process.pid, all).has(target.pid))
    return 'it is Nightshift itself, or what started it';
  return null;
}

function lineageOf(pid: number, all: readonly ProcessEntry[]): Set<number> {
  const parents = new Map(all.map((entry) => [entry.pid, entry.parent]));
  const found = new Set<number>();
  for (let at: number | undefined = pid; at !== undefined && at > 0 && !found.has(at); at = parents.get(at))
    found.add(at);
  return found;
}
