import type { CheckConfig } from '../../config/checks.ts';
import type { CheckContext, CheckRunner, Measurement } from '../check.ts';
import { fetchJson } from '../fetch-json.ts';
import { commandTrouble, unmeasured } from '../finding.ts';
import { excerpt, formatNumber, formatSpan, tenth } from '../format.ts';
import { atPath } from '../json-path.ts';
import { breachOf, withBreach } from '../limits.ts';
import { numberIn } from '../number-in.ts';

type Source = { value: number } | { measurement: Measurement };

/** Any number, against limits and against its own past. While its past is too short for that, it says so and is `ok`. */
export const metric: CheckRunner<'metric'> = async (check, context) => {
  const { settings } = check;
  const read = await readNumber(check, context);
  if ('measurement' in read) return read.measurement;
  const { value } = read;
  const written = `${formatNumber(value)}${settings.unit === undefined ? '' : ` ${settings.unit}`}`;
  const more = { value, ...(settings.unit === undefined ? {} : { unit: settings.unit }) };
  const breach = breachOf(value, settings);
  const now = withBreach({ ...more, summary: written, facts: { value } }, breach);
  if (!settings.change || breach?.verdict === 'critical') return now;

  const { over, ...limits } = settings.change;
  const past = pastValue(check, context, over);
  if (past === null || past === 0) {
    const note = past === 0 ? `it was 0 ${formatSpan(over)} ago` : `no value from ${formatSpan(over)} ago yet`;
    return { ...now, summary: `${now.summary}; ${note}` };
  }
  const percent = tenth(((value - past) / Math.abs(past)) * 100);
  const facts = { value, change_percent: percent, past_value: past };
  const summary = `${written}, ${percent > 0 ? '+' : ''}${percent} % against ${formatNumber(past)} ${formatSpan(over)} ago`;
  const changed = breachOf(percent, limits);
  if (!changed || (breach && changed.verdict === 'warn')) return { ...now, facts };
  return { ...withBreach({ ...more, summary, facts }, changed), reason: percent < 0 ? 'dropped' : 'risen' };
};

/** The sample nearest to `over` ago, if one lies within a quarter of that time (or two periods of the check). */
function pastValue({ key, everyMs }: CheckConfig, { history, clock }: CheckContext, over: number): number | null {
  const moment = clock.now() - over;
  const slack = Math.max(over / 4, everyMs * 2);
  const distance = ({ at }: { at: number }): number => Math.abs(at - moment);
  const near = history
    .samples(key, moment - slack)
    .filter((sample) => distance(sample) <= slack && sample.at < clock.now());
  const [first, ...rest] = near;
  if (!first) return null;
  return rest.reduce((best, sample) => (distance(sample) < distance(best) ? sample : best), first).value;
}

async function readNumber(check: CheckConfig<'metric'>, context: CheckContext): Promise<Source> {
  const { metric: source } = check.settings;
  if ('command' in source) return fromCommand(source.command, check, context);
  if ('url' in source) return fromUrl(source.url, source.json, context);
  const other = context.latest(source.check);
  if (other?.value === undefined) return { measurement: unmeasured('no-data', `${source.check} has no value`) };
  return { value: other.value };
}

async function fromCommand(
  [program = '', ...rest]: string[],
  check: CheckConfig<'metric'>,
  { host, service, signal }: CheckContext,
): Promise<Source> {
  const result = await host.run({
    argv: [program, ...rest],
    timeoutMs: check.withinMs,
    signal,
    ...(service.directory === undefined ? {} : { directory: service.directory }),
    ...(service.environment === undefined ? {} : { environment: service.environment }),
  });
  const trouble = commandTrouble(result, host);
  if (trouble) return { measurement: trouble };
  const said = excerpt(result.stdout || result.stderr, 120);
  if (result.exitCode !== 0)
    return {
      measurement: unmeasured(`exit-${result.exitCode}`, `${program} ended with exit code ${result.exitCode}: ${said}`),
    };
  const value = numberIn(result.stdout);
  return value === null ? { measurement: unmeasured('no-number', `${program} printed no number: ${said}`) } : { value };
}

async function fromUrl(url: string, path: string, context: CheckContext): Promise<Source> {
  const fetched = await fetchJson(context, url);
  if (!fetched.ok) return { measurement: unmeasured(fetched.reason, fetched.summary) };
  const found = atPath(fetched.document, path);
  const value =
    typeof found === 'number' || (typeof found === 'string' && found.trim() !== '') ? Number(found) : Number.NaN;
  if (!Number.isNaN(value)) return { value };
  const is = found === undefined ? 'missing' : excerpt(JSON.stringify(found), 60);
  return { measurement: unmeasured('no-number', `${path} is ${is}, a number was expected`) };
}
