import type { CheckConfig } from '../config/checks.ts';
import type { Argv, CommandResult, Host } from '../hosts/host.ts';
import { succeeded } from '../hosts/host.ts';
import type { Measurement } from './check.ts';
import { excerpt, formatSpan } from './format.ts';

type More = Pick<Measurement, 'value' | 'unit' | 'facts'>;

/** What is measured is not as it should be: the verdict the check asks for (`as`, default critical). */
export const down = (
  check: Pick<CheckConfig, 'as'>,
  reason: string,
  summary: string,
  more: More = {},
): Measurement => ({
  verdict: check.as,
  reason,
  summary,
  ...more,
});

/** It could not be measured, which says nothing of the service itself. */
export const unmeasured = (reason: string, summary: string, more: More = {}): Measurement => ({
  verdict: 'unknown',
  reason,
  summary,
  ...more,
});

/** Why a command gave no answer, as a measurement; null when it ran, whatever its exit code. */
export function commandTrouble({ failure, argv, stderr, durationMs }: CommandResult, host: Host): Measurement | null {
  const program = argv[0];
  const said = excerpt(stderr, 160);
  const because = said === '' ? '' : `: ${said}`;
  switch (failure) {
    case undefined:
      return null;
    case 'unreachable':
      return unmeasured('host-unreachable', `the host ${host.name} cannot be reached${because}`);
    case 'not-found':
      return unmeasured('program-missing', `${program} is not installed on ${host.name}`);
    case 'not-permitted':
      return unmeasured('not-permitted', `${program} may not be run on ${host.name}${because}`);
    case 'timed-out':
    case 'cancelled':
      return unmeasured('timed-out', `${program} gave no result within ${formatSpan(durationMs)}`);
    case 'could-not-start':
      return unmeasured('could-not-start', `${program} could not be started on ${host.name}${because}`);
  }
}

/** Text that a look at the host gave, or why there is none. */
export type Looked = { ok: true; text: string } | { ok: false; measurement: Measurement };

/** Runs a program that only looks; any exit code but 0 is "cannot be measured". */
export async function look(
  host: Host,
  argv: Argv,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<Looked> {
  const result = await host.run({ argv, timeoutMs, signal });
  const trouble = commandTrouble(result, host);
  if (trouble) return { ok: false, measurement: trouble };
  if (succeeded(result)) return { ok: true, text: result.stdout };
  const said = excerpt(result.stderr || result.stdout, 160);
  const reason = /permission denied|not permitted/i.test(said) ? 'not-permitted' : 'look-failed';
  return {
    ok: false,
    measurement: unmeasured(reason, `${argv[0]} on ${host.name} ended with exit code ${result.exitCode}: ${said}`),
  };
}

/** For a file operation that failed: a host that is away is told apart from a file that cannot be read. */
export async function fileTrouble(host: Host, error: string): Promise<Measurement> {
  if (host.kind === 'ssh') {
    const answer = await host.run({ argv: ['true'], timeoutMs: 3000 });
    if (answer.failure === 'unreachable')
      return unmeasured('host-unreachable', `the host ${host.name} cannot be reached: ${excerpt(error, 160)}`);
  }
  const reason = /EACCES|EPERM|permission denied/i.test(error) ? 'not-permitted' : 'look-failed';
  return unmeasured(reason, excerpt(error, 200));
}
