import type { Host } from '../../hosts/host.ts';
import { type Found, nothing } from './found.ts';

export interface SupervisorProgram {
  /** `name` or `group:name`. */
  name: string;
  state: string;
  pid: number | null;
}

const STATES = 'RUNNING|STARTING|BACKOFF|FATAL|STOPPING|STOPPED|EXITED|UNKNOWN';

function parseSupervisor(text: string): SupervisorProgram[] {
  return text.split('\n').flatMap((line) => {
    const match = new RegExp(`^(\\S+)\\s+(${STATES})\\b\\s*(.*)$`).exec(line.trim());
    if (!match) return [];
    const pid = /\bpid (\d+)/.exec(match[3] ?? '')?.[1];
    return [{ name: match[1] ?? '', state: match[2] ?? '', pid: pid === undefined ? null : Number(pid) }];
  });
}

/** Programs of supervisor that run or should; stopped and finished ones were meant to be. */
export async function findPrograms(host: Host): Promise<Found<SupervisorProgram>> {
  const status = await host.run({ argv: ['supervisorctl', 'status'], timeoutMs: 8000 });
  if (status.failure === 'not-found') return nothing();
  // It ends with 3 when not all of them run.
  const programs = parseSupervisor(status.stdout);
  if (programs.length === 0) {
    const said = `${status.stdout}\n${status.stderr}`;
    if (/permission denied|EACCES/i.test(said))
      return nothing('programs of supervisor cannot be seen: its socket is for root (set chmod in [unix_http_server])');
    if (/no such file|refused/i.test(said)) return nothing('supervisor is installed and does not run');
    return nothing();
  }
  const items = programs.filter(({ state }) => !/^(STOPPED|EXITED)$/.test(state));
  const left = programs.length - items.length;
  return {
    items,
    notes: left > 0 ? [`${left} stopped or finished program${left === 1 ? '' : 's'} of supervisor left out`] : [],
  };
}
