/** The same value with every text in it redacted. Keys stay: they are names that code chose. */
export function redactValues(
  values: Record<string, unknown>,
  redact: (text: string) => string,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, redacted(value, redact)]));
}

function redacted(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((each) => redacted(each, redact));
  if (typeof value === 'object' && value !== null) return redactValues({ ...value }, redact);
  return value;
}
