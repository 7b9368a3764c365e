import type { z } from 'zod';
import { checkSchemas } from './checks.ts';
import { nearest } from './nearest.ts';
import type { PathPart } from './problem.ts';
import { modelSchemas } from './schema.ts';
import { keysAt } from './schema-walk.ts';
import { suggestFor } from './suggest.ts';
import { choice, wording } from './wording.ts';

/** A problem before it is known where in the file it stands. */
export interface Finding {
  path: PathPart[];
  /** Whether the name or the value is wrong; a missing key stands at the name of what it is missing in. */
  at: 'key' | 'value';
  message: string;
  suggestion?: string;
  /** True when the value may be a secret and must not be shown. */
  secret?: boolean;
  /** True when a text was expected and a number or true/false stands there: its written form may be meant. */
  plainText?: boolean;
  also?: { path: PathPart[]; at: 'key' | 'value'; message: string };
}

type Schema = z.core.$ZodType & { safeParse: z.ZodType['safeParse'] };

/** A place where one key decides what the whole object is. */
interface Kinds {
  schemas: Readonly<Record<string, Schema>>;
  /** `check`, `model`. */
  what: string;
  example: string;
}

const CHECKS: Kinds = { schemas: checkSchemas, what: 'check', example: 'http: http://127.0.0.1:8080/health' };
const MODELS: Kinds = { schemas: modelSchemas, what: 'model', example: 'ollama: { model: "qwen3.5:9b" }' };

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const valueAt = (value: unknown, path: readonly PathPart[]): unknown =>
  path.reduce<unknown>((inner, part) => {
    if (Array.isArray(inner) && typeof part === 'number') return inner[part];
    return isObject(inner) && Object.hasOwn(inner, String(part)) ? inner[part] : undefined;
  }, value);

/** How far into a path the kind is decided, and by which key; null for a path outside of checks and models. */
function kindsOn(path: readonly PathPart[]): { depth: number; kinds: Kinds } | null {
  if (path[0] === 'services' && path[2] === 'checks' && typeof path[3] === 'number') return { depth: 4, kinds: CHECKS };
  if (path[0] === 'models' && typeof path[1] === 'number') return { depth: 2, kinds: MODELS };
  return null;
}

const keysOf = (schema: Schema | undefined): string[] => (schema ? keysAt(schema, []) : []);

/** The findings of one check or model: by the kind it names, or that it names none, or two. */
function explainKind(value: unknown, path: PathPart[], { schemas, what, example }: Kinds): Finding[] {
  const kinds = Object.keys(schemas);
  if (!isObject(value)) {
    const url = typeof value === 'string' && /^https?:\/\/[^\s@]+$/.test(value) ? `http: ${value}` : undefined;
    const message = `a ${what} was expected, such as "${example}"`;
    return [{ path, at: 'value', message, ...(url ? { suggestion: url } : {}) }];
  }
  const present = kinds.filter((kind) => Object.hasOwn(value, kind));
  // Some kinds are options of others (`unit` of a metric): then the other one is the kind.
  const leading = present.filter((kind) => present.every((each) => keysOf(schemas[kind]).includes(each)));
  const [kind] = leading.length > 0 ? leading : present;
  const schema = kind === undefined ? undefined : schemas[kind];
  if (kind === undefined || !schema) {
    const shared = keysOf(schemas[kinds[0] ?? '']).filter((key) => key !== kinds[0]);
    const strange = Object.keys(value).filter((key) => !shared.includes(key));
    for (const key of strange.length > 0 ? strange : Object.keys(value)) {
      const meant = nearest(key, kinds);
      if (meant === null) continue;
      const message = `${key} is no kind of ${what}`;
      return [{ path: [...path, key], at: 'key', message, suggestion: meant }];
    }
    const message = `it is not said what kind of ${what} this is: one key must be ${choice(kinds)}`;
    const [first] = strange;
    return [first === undefined ? { path, at: 'value', message } : { path: [...path, first], at: 'key', message }];
  }
  if (leading.length === 0) {
    const second = present[1] ?? kind;
    const message = `two kinds in one ${what}, ${choice(present).replace(/ or (?=\S+$)/, ' and ')}: begin each with its own "- "`;
    return [{ path: [...path, second], at: 'key', message }];
  }
  const parsed = schema.safeParse(value, { error: wording });
  return parsed.success ? [] : parsed.error.issues.flatMap((issue) => explainIssue(issue, value, path, schema));
}

/**
 * The issues of the option of a union that was meant. Null when what stands there is of another kind than any option, or
 * fits several equally: then the union says best itself what it expects.
 */
function pickOption(issue: z.core.$ZodIssueInvalidUnion, value: unknown): z.core.$ZodIssue[] | null {
  if (typeof value !== 'object' || value === null) return null;
  const fitting = issue.errors.filter(
    (option) => !option.some((each) => each.path.length === 0 && /^invalid_(type|value)$/.test(each.code)),
  );
  if (fitting.length < 2) return fitting[0] ?? null;
  const strangers = (option: z.core.$ZodIssue[]): number =>
    option.reduce((count, each) => count + (each.code === 'unrecognized_keys' ? each.keys.length : 0), 0);
  const [best] = [...fitting].sort((a, b) => strangers(a) - strangers(b) || a.length - b.length);
  if (!best) return null;
  // With a key that nobody knows, what is missing is most likely that key.
  if (strangers(best) > 0) return best.filter((each) => each.code === 'unrecognized_keys' || each.path.length > 1);
  return Object.keys(value).length === 0 ? null : best;
}

function explainIssue(issue: z.core.$ZodIssue, root: unknown, prefix: PathPart[], schema: Schema): Finding[] {
  const inner = issue.path.filter((part) => typeof part !== 'symbol');
  const path = [...prefix, ...inner];
  const value = valueAt(root, inner);
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, inner);
    return issue.keys.map((key) => {
      const unused = known.filter((each) => valueAt(root, [...inner, each]) === undefined);
      const meant = nearest(key, unused) ?? nearest(key, known);
      const where = path.length === 0 ? 'at the top' : 'here';
      const rest = meant === null && known.length <= 24 ? `; known are ${known.join(', ')}` : '';
      const message = `there is no key "${key.slice(0, 60)}" ${where}${rest}`;
      return { path: [...path, key], at: 'key', message, ...(meant === null ? {} : { suggestion: meant }) };
    });
  }
  if (issue.code === 'invalid_key') {
    return [{ path, at: 'key', message: issue.issues[0]?.message ?? issue.message }];
  }
  if (issue.code === 'invalid_union' && value !== undefined) {
    const option = pickOption(issue, value);
    if (option)
      return option.flatMap((each) => explainIssue({ ...each, path: [...inner, ...each.path] }, root, prefix, schema));
  }
  if (value === undefined && inner.length > 0) {
    const key = String(inner.at(-1));
    return [{ path, at: 'key', message: `"${key}" is missing here: ${issue.message}` }];
  }
  const secret = issue.message.startsWith('a reference such as env:');
  const plainText =
    issue.code === 'invalid_type' &&
    issue.expected === 'string' &&
    (typeof value === 'number' || typeof value === 'boolean');
  const meant =
    issue.code === 'invalid_value' && typeof value === 'string'
      ? (nearest(value, issue.values.map(String)) ?? undefined)
      : suggestFor(issue.message, value);
  return [
    {
      path,
      at: 'value',
      message: issue.message,
      ...(secret ? { secret } : {}),
      ...(plainText ? { plainText } : {}),
      ...(meant === undefined || secret ? {} : { suggestion: meant }),
    },
  ];
}

/** Every finding behind the issues of a whole configuration; those within a check or a model are judged by its kind. */
export function explain(issues: readonly z.core.$ZodIssue[], value: unknown, schema: Schema): Finding[] {
  const judged = new Set<string>();
  return issues.flatMap((issue) => {
    const path = issue.path.filter((part) => typeof part !== 'symbol');
    const place = kindsOn(path);
    if (!place) return explainIssue(issue, value, [], schema);
    const at = path.slice(0, place.depth);
    if (judged.has(JSON.stringify(at))) return [];
    judged.add(JSON.stringify(at));
    return explainKind(valueAt(value, at), at, place.kinds);
  });
}
