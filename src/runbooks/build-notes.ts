import type { z } from 'zod';
import { nearest } from '../config/nearest.ts';
import type { PathPart, Place } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import type { ConfigSource } from '../config/source.ts';
import { compileWithPosition } from './expression.ts';
import { factNames, factType } from './fact-names.ts';
import { stepKinds } from './format.ts';
import type { Expression } from './runbook.ts';

/** Tells of a mistake at a place; null is the file itself. */
export type Note = (message: string, place: Place | null, severity?: 'error' | 'warning') => void;

/** Where a runbook stands, and what its words may name. */
export interface BuildContext {
  source: ConfigSource;
  path: PathPart[];
  note: Note;
  config: Config;
  file: string;
  shipped: boolean;
}

/** Compiles an expression, and tells of its mistakes at the letter where they stand. */
export async function compileAt(
  text: string,
  path: PathPart[],
  context: BuildContext,
  unknownIs: 'error' | 'warning',
): Promise<Expression | null> {
  const compiled = await compileWithPosition(text);
  const at = (offset: number) => within(context.source.valuePlace(path), text, offset, context.source.lines);
  if (!compiled.ok) {
    context.note(compiled.problem.message, at(compiled.problem.offset));
    return null;
  }
  for (const fact of compiled.unknownFacts) context.note(fact.message, at(fact.offset), unknownIs);
  return compiled.expression;
}

/** A place inside a value: a quoted value begins one letter later; one that is folded over lines keeps its first. */
function within(place: Place, text: string, offset: number, lines: readonly string[]): Place {
  const line = lines[place.line - 1] ?? '';
  const begin = line.indexOf(text, place.column - 1);
  return begin < 0 ? place : { line: place.line, column: begin + offset + 1, length: 1 };
}

/** What Zod found, in words, each at its own place. */
export function noteIssues(
  issues: readonly z.core.$ZodIssue[],
  context: BuildContext,
  path: PathPart[],
  keys: readonly string[] = stepKinds,
): void {
  for (const issue of issues) {
    const inner = issue.path.filter((part): part is PathPart => typeof part !== 'symbol');
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        const near = nearest(key, keys);
        context.note(
          `${key} is not known here${near ? `; did you mean ${near}?` : ''}`,
          context.source.keyPlace([...path, ...inner, key]),
        );
      }
      continue;
    }
    const where = inner.length > 0 ? `${inner.map(String).join('.')}: ` : '';
    const missing = issue.code === 'invalid_type' && issue.input === undefined && inner.length > 0;
    context.note(
      missing ? `${where}is missing` : `${where}${issue.message}`,
      context.source.valuePlace([...path, ...inner]),
    );
  }
}

/** Facts that a sentence or an argument leaves open, as `{disk_path}`, must exist. */
export function noteSlots(text: string, path: PathPart[], context: BuildContext, severity: 'error' | 'warning'): void {
  for (const [, name = ''] of text.matchAll(/\{([^{}]*)\}/g)) {
    if (factType(name) !== null) continue;
    const near = nearest(name, Object.keys(factNames));
    context.note(
      `{${name}} is not a fact${near ? `; did you mean {${near}}?` : ''}`,
      context.source.valuePlace(path),
      severity,
    );
  }
}
