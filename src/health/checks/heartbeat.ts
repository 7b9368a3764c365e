import type { CheckConfig } from '../../config/checks.ts';
import type { CheckContext, CheckRunner, Measurement } from '../check.ts';
import { findFile } from '../file-facts.ts';
import { down, look, unmeasured } from '../finding.ts';
import { formatSpan } from '../format.ts';

const HOUR_MS = 3_600_000;

/** Something that must happen regularly: a file is written anew, or (a name without a slash) `nightshift ping NAME` is called. */
export const heartbeat: CheckRunner<'heartbeat'> = (check, context) =>
  check.settings.heartbeat.includes('/') ? ofFile(check, context) : ofPing(check, context);

async function ofFile(check: CheckConfig<'heartbeat'>, context: CheckContext): Promise<Measurement> {
  const path = check.settings.heartbeat;
  const found = await findFile(context.host, path);
  if (!found.ok) return found.measurement;
  if (found.facts === null) return down(check, 'absent', `${path} does not exist on ${context.host.name}`);
  const now = await hostTime(check, context);
  return typeof now === 'number' ? judgeAge(check, now - found.facts.modifiedAt, 'written') : now;
}

/** A far host's file times come from its own clock, so its age is told by that clock, too. */
async function hostTime(check: CheckConfig, { host, clock, signal }: CheckContext): Promise<number | Measurement> {
  if (host.kind === 'local') return clock.now();
  const looked = await look(host, ['date', '+%s'], { timeoutMs: check.withinMs, signal });
  return looked.ok ? Number(looked.text.trim()) * 1000 : looked.measurement;
}

async function ofPing(check: CheckConfig<'heartbeat'>, { history, clock }: CheckContext): Promise<Measurement> {
  const name = check.settings.heartbeat;
  const last = history.lastPing(name);
  const now = clock.now();
  if (last !== null) return judgeAge(check, now - last, 'heard');
  // Before the first ping its age is counted from the first look, so that one that never comes is noticed, too.
  const saved = Number(history.position(check.key) ?? Number.NaN);
  const firstLook = Number.isNaN(saved) ? now : saved;
  if (firstLook === now) history.setPosition(check.key, String(now));
  const judged = judgeAge(check, now - firstLook, 'heard');
  if (judged.verdict === 'ok') return unmeasured('never-heard', `${name} has not been heard of yet`);
  return { ...judged, reason: 'never-heard', summary: `${name} was never heard of in ${formatSpan(now - firstLook)}` };
}

function judgeAge(check: CheckConfig<'heartbeat'>, age: number, done: 'written' | 'heard'): Measurement {
  const { warn, critical = warn === undefined ? HOUR_MS : undefined } = check.settings;
  const ageMs = Math.max(age, 0);
  const more = { value: Math.round(ageMs / 1000), unit: 's', facts: { age_seconds: Math.round(ageMs / 1000) } };
  const summary = `last ${done} ${formatSpan(ageMs)} ago`;
  const late = (limit: number): string => `${summary} (limit: ${formatSpan(limit)})`;
  if (critical !== undefined && ageMs > critical)
    return { verdict: check.as, reason: 'too-old', summary: late(critical), ...more };
  if (warn !== undefined && ageMs > warn) return { verdict: 'warn', reason: 'too-old', summary: late(warn), ...more };
  return { verdict: 'ok', summary, ...more };
}
