import type { CheckRunner } from '../check.ts';
import { commandTrouble, down, unmeasured } from '../finding.ts';
import { excerpt, formatSpan } from '../format.ts';
import { judge } from '../limits.ts';
import { numberIn } from '../number-in.ts';
import { watchHost } from '../reach.ts';

/** A program of the host: its exit code and, when there are limits, the number it prints. */
export const command: CheckRunner<'command'> = async (check, { host, service, signal }) => {
  const { settings } = check;
  const [program = '', ...rest] = settings.command;
  const watching = watchHost(host, signal);
  const result = await host.run({
    argv: [program, ...rest],
    timeoutMs: check.withinMs,
    signal,
    ...(service.directory === undefined ? {} : { directory: service.directory }),
    ...(service.environment === undefined ? {} : { environment: service.environment }),
  });
  watching.stop();
  const late = result.failure === 'timed-out' || result.failure === 'cancelled';
  if (late && !watching.answers()) return unmeasured('host-unreachable', `${host.name} gave no answer in time`);
  if (late) return down(check, 'timed-out', `${program} did not end within ${formatSpan(check.withinMs)}`);
  const trouble = commandTrouble(result, host);
  if (trouble) return trouble;
  const said = excerpt(result.stdout || result.stderr, 120);
  const facts = { exit_code: result.exitCode, output: said };
  const wanted = settings.exit_code ?? 0;
  if (result.exitCode !== wanted) {
    const how = result.signal === null ? `exit code ${result.exitCode}` : `ended by ${result.signal}`;
    return down(
      check,
      result.signal === null ? `exit-${result.exitCode}` : 'killed',
      said === '' ? how : `${how}: ${said}`,
      { facts },
    );
  }
  const more = said === '' ? '' : `: ${said}`;
  if (!settings.warn && !settings.critical) return { verdict: 'ok', summary: `exit code ${wanted}${more}`, facts };
  const value = numberIn(result.stdout);
  if (value === null) return down(check, 'no-number', `${program} printed no number${more}`, { facts });
  return judge({ value, summary: `${program} gives ${value}`, facts: { ...facts, value } }, settings);
};
