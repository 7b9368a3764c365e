/**
 * Reads back what this room wrote. Only the store writes these columns, each from the type it is read back as, so the outer
 * shape is all that is checked: anything else means that somebody else wrote to the file.
 */
export function fromJson<Value extends object>(column: string, text: string): Value {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  if (typeof value !== 'object' || value === null)
    throw new Error(`the store holds something else than JSON in ${column}: ${text.slice(0, 80)}`);
  return value as Value;
}

/** The same text for the same value, whatever the order its keys were written in. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
