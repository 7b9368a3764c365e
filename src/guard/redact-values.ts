import type { CheckResult } from '../health/check.ts';

/** What code and the inventory chose: names and states by which things are found again. A password that equals one must not unmake it. */
const NAMES = new Set([
  'service',
  'check',
  'state',
  'severity',
  'type',
  'tool',
  'kind',
  'verdict',
  'previous',
  'source',
  'sourceName',
  'cause',
  'resolvedBy',
  'host',
]);

/** The same value with every text in it redacted. Keys stay: they are names that code chose, and so are some values. */
export function redactValues(
  values: Record<string, unknown>,
  redact: (text: string) => string,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      NAMES.has(name) && typeof value === 'string' ? value : redacted(value, redact),
    ]),
  );
}

function redacted(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((each) => redacted(each, redact));
  if (typeof value === 'object' && value !== null) return redactValues({ ...value }, redact);
  return value;
}

/** A result with its texts redacted. */
export function redactResult(result: CheckResult, redact: (text: string) => string): CheckResult {
  const facts =
    result.facts &&
    Object.fromEntries(
      Object.entries(result.facts).map(([name, value]) => [name, typeof value === 'string' ? redact(value) : value]),
    );
  return { ...result, summary: redact(result.summary), ...(facts ? { facts } : {}) };
}

/** Every text in a value, redacted; its shape stays. */
export const redactDeep = <Value>(value: Value, redact: (text: string) => string): Value =>
  redacted(value, redact) as Value;
