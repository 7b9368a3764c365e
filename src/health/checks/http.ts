import type { CheckConfig, CheckOf } from '../../config/checks.ts';
import type { CheckRunner, Measurement } from '../check.ts';
import { exchange } from '../exchange.ts';
import { down, unmeasured } from '../finding.ts';
import { excerpt, formatSpan, tenth } from '../format.ts';
import type { Answer } from '../http-request.ts';
import { alike, atPath } from '../json-path.ts';
import { breachOf, limitText } from '../limits.ts';

/**
 * An HTTP endpoint: status, header, body, JSON, certificate, latency, in this order; the first that is wrong is told.
 * Redirects within the same origin are followed unless `status` says which answer is wanted.
 */
export const http: CheckRunner<'http'> = async (check, context) => {
  const { settings } = check;
  const result = await exchange(context, {
    url: new URL(settings.http),
    insecure: settings.insecure ?? false,
    follow: settings.status === undefined,
  });
  if (!result.ok) {
    const { measured, reason, summary } = result;
    return measured ? down(check, reason, summary) : unmeasured(reason, summary);
  }
  const { answer } = result;
  const took = `${answer.status} in ${formatSpan(answer.latencyMs)}`;
  const daysLeft =
    answer.certificateEndsAt === null ? null : (answer.certificateEndsAt - context.clock.now()) / 86_400_000;
  const more = {
    value: tenth(answer.latencyMs),
    unit: 'ms',
    facts: {
      status: answer.status,
      latency_ms: tenth(answer.latencyMs),
      body: excerpt(answer.body.toString('utf8', 0, 2048)),
      ...(daysLeft === null ? {} : { certificate_days: tenth(daysLeft) }),
    },
  };
  const wrong = contentTrouble(settings, answer);
  if (wrong) return down(check, wrong.reason, `${took}: ${wrong.text}`, more);
  const ending = certificateTrouble(settings, daysLeft, took);
  const breach = breachOf(answer.latencyMs, settings);
  if (ending?.verdict === 'critical' || (ending && breach?.verdict !== 'critical')) return { ...ending, ...more };
  if (breach)
    return { verdict: breach.verdict, reason: 'slow', summary: `${took} (limit: ${limitText(breach.limit)})`, ...more };
  return { verdict: 'ok', summary: answer.truncated ? `${took}, more than 256 kB` : took, ...more };
};

type HttpSettings = CheckConfig<'http'>['settings'] & CheckOf<'http'>;

function contentTrouble(settings: HttpSettings, answer: Answer): { reason: string; text: string } | null {
  if (!statusFits(answer.status, settings.status))
    return { reason: `status-${answer.status}`, text: `${wantedStatus(settings.status)} was expected` };
  for (const [name, wanted] of Object.entries(settings.header ?? {})) {
    const value = [answer.headers[name.toLowerCase()] ?? []].flat().join(', ');
    if (!value.includes(wanted))
      return { reason: 'header-mismatch', text: `header ${name} is "${excerpt(value, 60)}", "${wanted}" was expected` };
  }
  const limited = answer.truncated ? ' in its first 256 kB' : '';
  if (settings.body !== undefined && !answer.body.includes(settings.body))
    return { reason: 'body-mismatch', text: `"${settings.body}" is not in the body${limited}` };
  return settings.json ? jsonTrouble(settings.json, answer) : null;
}

function jsonTrouble(
  wanted: NonNullable<HttpSettings['json']>,
  { body, truncated }: Answer,
): { reason: string; text: string } | null {
  if (truncated) return { reason: 'too-large', text: 'the body is larger than 256 kB and was not read to its end' };
  let document: unknown;
  try {
    document = JSON.parse(body.toString('utf8'));
  } catch {
    return { reason: 'json-mismatch', text: `the body is not JSON: "${excerpt(body.toString('utf8', 0, 400), 60)}"` };
  }
  for (const [path, value] of Object.entries(wanted)) {
    const found = atPath(document, path);
    if (alike(found, value)) continue;
    const is = found === undefined ? 'missing' : excerpt(JSON.stringify(found), 60);
    return { reason: 'json-mismatch', text: `${path} is ${is}, ${JSON.stringify(value)} was expected` };
  }
  return null;
}

function certificateTrouble(
  { expires }: HttpSettings,
  daysLeft: number | null,
  took: string,
): Pick<Measurement, 'verdict' | 'reason' | 'summary'> | null {
  if (!expires || daysLeft === null) return null;
  const left = daysLeft * 86_400_000;
  const summary = `${took}: its certificate ${left < 0 ? 'ended' : 'ends in'} ${formatSpan(left)}${left < 0 ? ' ago' : ''}`;
  const reason = left < 0 ? 'tls-expired' : 'tls-expires-soon';
  if (left < (expires.critical ?? 2 * 86_400_000)) return { verdict: 'critical', reason, summary };
  if (left < (expires.warn ?? 14 * 86_400_000)) return { verdict: 'warn', reason, summary };
  return null;
}

function statusFits(status: number, wanted: HttpSettings['status'] = '200-399'): boolean {
  if (typeof wanted === 'number') return status === wanted;
  if (Array.isArray(wanted)) return wanted.includes(status);
  const [low = 0, high = 0] = wanted.split('-').map(Number);
  return status >= low && status <= high;
}

const wantedStatus = (wanted: HttpSettings['status'] = '200-399'): string => [wanted].flat().join(' or ');
