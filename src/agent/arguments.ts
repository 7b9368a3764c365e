import type { z } from 'zod';
import { nearest } from './words.ts';

/** Arguments that fit, or what was wrong with them in words that let a model put it right. */
type CheckedArguments = { ok: true; value: Record<string, unknown> } | { ok: false; message: string };

/**
 * Holds a model's arguments against a tool's schema. Slips that have only one meaning are mended (arguments as text, a number as
 * text, null for something left out); everything else goes back with the argument, what was given, and what may be.
 */
export function checkArguments(tool: string, schema: z.ZodObject, given: unknown): CheckedArguments {
  const opened = open(given);
  if (opened === null) {
    return { ok: false, message: `${tool} takes one JSON object as its arguments, and was given ${inShort(given)}.` };
  }
  const names = Object.keys(schema.shape);
  const unknown = Object.keys(opened).filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    const complaints = unknown.map((name) => {
      const near = nearest(name, names);
      return `"${name.slice(0, 40)}"${near ? ` (did you mean "${near}"?)` : ''}`;
    });
    const takes = names.length > 0 ? `It takes: ${names.join(', ')}.` : 'It takes no arguments.';
    return { ok: false, message: `${tool} has no argument ${complaints.join(', ')}. ${takes}` };
  }
  const plain = Object.fromEntries(Object.entries(opened).filter(([, value]) => value !== null));
  const first = schema.safeParse(plain);
  if (first.success) return { ok: true, value: first.data };
  const mended = mend(plain, first.error.issues);
  const second = mended ? schema.safeParse(mended) : first;
  if (second.success) return { ok: true, value: second.data };
  const complaints = second.error.issues.slice(0, 4).map((issue) => complain(issue, plain));
  return { ok: false, message: `${tool} was not run. ${complaints.join(' ')} Call it again with this put right.` };
}

function open(given: unknown): Record<string, unknown> | null {
  let value = given ?? {};
  if (typeof value === 'string') {
    if (value.trim() === '') return {};
    try {
      value = JSON.parse(value);
    } catch {
      return null;
    }
  }
  if (Array.isArray(value) && value.length <= 1) value = value[0] ?? {};
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}

/** Puts numbers and truth values that came as text right, where that is what is wanted. */
function mend(given: Record<string, unknown>, issues: readonly z.core.$ZodIssue[]): Record<string, unknown> | null {
  const mended = { ...given };
  let changed = false;
  for (const issue of issues) {
    const [name] = issue.path;
    if (issue.code !== 'invalid_type' || issue.path.length !== 1 || typeof name !== 'string') continue;
    const value = mended[name];
    if (
      typeof value === 'string' &&
      (issue.expected === 'number' || issue.expected === 'int') &&
      /^-?\d+(\.\d+)?$/.test(value.trim())
    ) {
      mended[name] = Number(value);
    } else if (issue.expected === 'boolean' && (value === 'true' || value === 'false')) {
      mended[name] = value === 'true';
    } else if (issue.expected === 'string' && typeof value === 'number') {
      mended[name] = String(value);
    } else if (issue.expected === 'array' && typeof value === 'string') {
      mended[name] = [value];
    } else continue;
    changed = true;
  }
  return changed ? mended : null;
}

function complain(issue: z.core.$ZodIssue, given: Record<string, unknown>): string {
  const path = issue.path.join('.') || 'the arguments';
  const value = issue.path.reduce<unknown>((within, step) => fieldOf(within, step), given);
  const was = value === undefined ? 'is missing' : `was ${inShort(value)}`;
  if (issue.code === 'invalid_value') {
    const allowed = issue.values.map(String);
    const near = typeof value === 'string' ? nearest(value, allowed) : null;
    const hint = near ? ` Did you mean "${near}"?` : '';
    return `"${path}" ${was}; it must be one of ${listed(allowed)}.${hint}`;
  }
  if (issue.code === 'invalid_type') return `"${path}" ${was}; it must be a ${issue.expected}.`;
  if (issue.code === 'too_small') return `"${path}" ${was}; it must be at least ${issue.minimum}.`;
  if (issue.code === 'too_big') return `"${path}" ${was}; it must be at most ${issue.maximum}.`;
  return `"${path}" ${was}: ${issue.message}.`;
}

const fieldOf = (value: unknown, step: PropertyKey): unknown =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === String(step))?.[1]
    : undefined;

function listed(words: readonly string[]): string {
  const shown = words.slice(0, 20).join(', ');
  return words.length > 20 ? `${shown} and ${words.length - 20} more` : shown;
}

function inShort(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
