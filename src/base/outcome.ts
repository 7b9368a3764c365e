/** Something that was tried and is expected to fail at times: the value, or in words what was tried and what came back. */
export type Outcome<Value> = { ok: true; value: Value } | { ok: false; error: string };

export const success = <Value>(value: Value): { ok: true; value: Value } => ({ ok: true, value });

export const failure = (error: string): { ok: false; error: string } => ({ ok: false, error });

/** The message of anything thrown, on one line. */
export function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  return text.replace(/\s+/g, ' ').trim();
}
