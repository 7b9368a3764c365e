import type { Limit } from '../config/checks.ts';
import { parseSize } from '../config/units.ts';
import type { Measurement } from './check.ts';

export interface Limits {
  warn?: Limit | undefined;
  critical?: Limit | undefined;
}

/** A limit that was breached, how badly, and a stable word for it. */
interface Breach {
  verdict: 'warn' | 'critical';
  limit: Limit;
  reason: 'over-limit' | 'under-limit' | 'wrong-value';
}

/** True when `value` stands on the wrong side of the limit. */
export function breaches(value: number, { operator, value: bound }: Limit): boolean {
  switch (operator) {
    case '>':
      return value > bound;
    case '>=':
      return value >= bound;
    case '<':
      return value < bound;
    case '<=':
      return value <= bound;
    case '==':
      return value === bound;
    case '!=':
      return value !== bound;
  }
}

const reasonOf = ({ operator }: Limit): Breach['reason'] => {
  if (operator.startsWith('>')) return 'over-limit';
  return operator.startsWith('<') ? 'under-limit' : 'wrong-value';
};

/** The worse of the breached limits, or null when the value is within both. `measure` may give each limit its own value. */
export function breachOf(value: number | ((limit: Limit) => number), { warn, critical }: Limits): Breach | null {
  const valueFor = typeof value === 'number' ? () => value : value;
  if (critical && breaches(valueFor(critical), critical))
    return { verdict: 'critical', limit: critical, reason: reasonOf(critical) };
  if (warn && breaches(valueFor(warn), warn)) return { verdict: 'warn', limit: warn, reason: reasonOf(warn) };
  return null;
}

/** A measurement whose verdict comes from its limits alone; the summary names the limit that was breached. */
export function judge(
  measurement: Omit<Measurement, 'verdict' | 'reason'> & { value: number },
  limits: Limits,
): Measurement {
  return withBreach(measurement, breachOf(measurement.value, limits));
}

export function withBreach(measurement: Omit<Measurement, 'verdict' | 'reason'>, breach: Breach | null): Measurement {
  if (!breach) return { ...measurement, verdict: 'ok' };
  return {
    ...measurement,
    verdict: breach.verdict,
    reason: breach.reason,
    summary: `${measurement.summary} (limit: ${limitText(breach.limit)})`,
  };
}

/** The limit with its direction, `> 90%`, also where it was written without one. */
export function limitText({ operator, text }: Limit): string {
  const bare = text.replace(/^\s*[<>=!]+\s*/, '').trim();
  return `${operator} ${bare}`;
}

/** True when the limit was written as a size such as `2GB`: it then speaks of bytes, not of percent. */
export const isSize = ({ text }: Limit): boolean => parseSize(text.replace(/^\s*[<>=!]+\s*/, '')) !== null;
