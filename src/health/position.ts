import type { z } from 'zod';
import type { CheckHistory } from './check.ts';

/** What a check kept for itself last time; null when there is nothing, or nothing that fits. */
export function readPosition<Schema extends z.ZodType>(
  history: CheckHistory,
  check: string,
  schema: Schema,
): z.output<Schema> | null {
  const text = history.position(check);
  if (text === null) return null;
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    // Kept by another version or damaged: as good as none.
    return null;
  }
}
