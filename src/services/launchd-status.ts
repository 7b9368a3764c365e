import type { ServiceState, ServiceStatus } from './manager.ts';
import { signalName } from './systemd-status.ts';

/** What `launchctl print DOMAIN/LABEL` says at its top level, by its own words (`state`, `pid`, `last exit code`). */
export type JobFacts = ReadonlyMap<string, string>;

/** The output is nested in braces and meant for people; only what stands directly in the outermost pair is taken. */
export function parsePrint(output: string): JobFacts {
  const facts = new Map<string, string>();
  let depth = 0;
  for (const line of output.split('\n')) {
    const text = line.trim();
    if (text.endsWith('{')) depth += 1;
    else if (text === '}') depth -= 1;
    else if (depth === 1) {
      const split = text.indexOf(' = ');
      const name = text.slice(0, split);
      if (split > 0 && !facts.has(name)) facts.set(name, text.slice(split + 3).trim());
    }
  }
  return facts;
}

/** `Killed: 9`, `9`, `SIGKILL` */
function signalIn(text: string | undefined): string | null {
  const number = /(\d+)\s*$/.exec(text ?? '')?.[1];
  if (number !== undefined) return signalName(Number(number));
  return /^SIG[A-Z]+/.exec(text ?? '')?.[0] ?? null;
}

/** `0`, `78: EX_CONFIG`; `(never exited)` gives null. */
function exitCodeIn(text: string | undefined): number | null {
  const number = /^(\d+)/.exec(text ?? '')?.[1];
  return number === undefined ? null : Number(number);
}

export function pidIn(facts: JobFacts): number | null {
  return Number(/^(\d+)/.exec(facts.get('pid') ?? '')?.[1] ?? 0) || null;
}

/** `paused`: its process is stopped by a signal; `ageMs`: how long it has been running, if known. */
export function statusOfJob(
  facts: JobFacts,
  now: number,
  process: { paused: boolean; ageMs: number } | null,
): ServiceStatus {
  const pid = pidIn(facts);
  const exitSignal = signalIn(facts.get('last terminating signal'));
  const exitCode = exitSignal === null ? exitCodeIn(facts.get('last exit code')) : null;
  const word = facts.get('state') ?? 'unknown';
  const failed = exitSignal !== null || (exitCode ?? 0) !== 0;
  const state: ServiceState =
    pid !== null
      ? process?.paused
        ? 'paused'
        : 'running'
      : /spawn|pending|throttl/.test(word)
        ? 'starting'
        : failed
          ? 'failed'
          : 'stopped';
  const runs = exitCodeIn(facts.get('runs'));
  const ended = pid === null ? { exitCode, exitSignal } : { exitCode: null, exitSignal: null };
  const last =
    exitSignal !== null ? `last exit: signal ${exitSignal}` : exitCode !== null ? `last exit: code ${exitCode}` : '';
  const running = pid === null ? '' : `process ${pid}${process?.paused ? ', stopped by a signal' : ''}`;
  return {
    state,
    mainPid: pid,
    since: process ? now - process.ageMs : null,
    ...ended,
    restarts: runs === null ? null : Math.max(0, runs - 1),
    outOfMemory: /jetsam|memory/i.test(facts.get('last exit reason') ?? facts.get('jetsam reason') ?? ''),
    stoppedOnPurpose: null,
    health: null,
    summary: [word, running, last].filter(Boolean).join(', '),
  };
}
