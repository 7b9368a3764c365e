import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { PathPart, Place } from './problem.ts';

/** A YAML file that could be read as such: its value, and where each part of it stands. */
export interface ConfigSource {
  /** The file as plain values; keys of maps are text. */
  value: unknown;
  lines: readonly string[];
  /** Where the key (or the list item) at a path stands, or its nearest ancestor that is written in the file. */
  keyPlace(path: readonly PathPart[]): Place;
  /** Where the value at a path stands, or its nearest ancestor that is written in the file. */
  valuePlace(path: readonly PathPart[]): Place;
  /** The text of a plain value as written (`1.10`), when it is a scalar. */
  written(path: readonly PathPart[]): string | null;
  /** Keys that stand twice in one map. */
  duplicates: { path: PathPart[]; first: Place; second: Place }[];
}

interface SyntaxProblem {
  place: Place;
  message: string;
}

interface Spot {
  key: [number, number] | null;
  value: [number, number] | null;
  written: string | null;
}

const MOST_SPOTS = 50_000;
const keyOf = (path: readonly PathPart[]): string => JSON.stringify(path);

/** What the YAML parser's codes mean, for somebody who has never heard of them. */
const SYNTAX: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'a tab stands in the indentation, where YAML allows spaces only',
  BAD_INDENT: 'the indentation does not fit the lines above',
  MISSING_CHAR: 'a character is missing here, such as a closing quote, bracket or comma',
  MULTIPLE_DOCS: 'a second document begins here (---); one file holds one configuration',
  BLOCK_AS_IMPLICIT_KEY: 'a second ": " on this line; put the value in quotes, or indent what belongs below it',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line; is a ":" missing, or a quote not closed?',
  BAD_ALIAS: 'the alias (*name) points at no anchor (&name)',
  UNEXPECTED_TOKEN: 'this is not expected here; is a quote, a bracket or a ":" missing?',
  RESERVED_CHAR: 'a plain value cannot begin with this character: put it in quotes',
  BAD_SCALAR_START: 'a plain value cannot begin with this character: put it in quotes',
  IMPOSSIBLE: 'this cannot be read as YAML',
  TAG_RESOLVE_FAILED: 'this tag (!name) is not known here',
};

function walk(document: Document, visit: (path: PathPart[], spot: Spot, node: Node | null) => void): void {
  let left = MOST_SPOTS;
  const range = (node: Node | null): [number, number] | null => (node?.range ? [node.range[0], node.range[1]] : null);
  const follow = (node: unknown): Node | null => {
    if (isAlias(node)) return node.resolve(document) ?? null;
    return isMap(node) || isSeq(node) || isScalar(node) ? (node as Node) : null;
  };
  const descend = (written: unknown, path: PathPart[]): void => {
    const node = follow(written);
    if (path.length > 40 || node === null) return;
    if (isMap(node)) {
      for (const pair of node.items) {
        const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
        const child = follow(pair.value);
        const own = isAlias(pair.value) ? (pair.value as Node) : child;
        if (left-- <= 0) return;
        visit(
          [...path, key],
          {
            key: isScalar(pair.key) ? range(pair.key) : null,
            value: range(own),
            written: isScalar(child) ? (child.source ?? null) : null,
          },
          child,
        );
        descend(child, [...path, key]);
      }
    } else if (isSeq(node)) {
      node.items.forEach((item, index) => {
        const child = follow(item);
        const own = isAlias(item) ? (item as Node) : child;
        if (left-- <= 0) return;
        const spot = { key: null, value: range(own), written: isScalar(child) ? (child.source ?? null) : null };
        visit([...path, index], spot, child);
        descend(child, [...path, index]);
      });
    }
  };
  descend(document.contents, []);
}

/** Reads YAML and remembers where everything stands. Duplicate keys are told apart from what cannot be read at all. */
export function readSource(
  text: string,
): { ok: true; source: ConfigSource | null } | { ok: false; problems: SyntaxProblem[] } {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false, merge: true });
  const lines = text.split(/\r\n|\n|\r/);

  const placeOf = (range: [number, number] | null): Place => {
    if (!range) return { line: 1, column: 1, length: 1 };
    const { line, col } = lineCounter.linePos(Math.min(range[0], text.length));
    const rest = Math.max(1, (lines[line - 1] ?? '').trimEnd().length - col + 1);
    return {
      line: Math.max(1, line),
      column: Math.max(1, col),
      length: Math.max(1, Math.min(range[1] - range[0], rest)),
    };
  };
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      place: placeOf([error.pos[0], error.pos[1]]),
      message: SYNTAX[error.code] ?? `this cannot be read as YAML: ${error.message.split('\n')[0] ?? ''}`,
    }));
    const perLine = problems.filter(
      (problem, index) => problems.findIndex((each) => each.place.line === problem.place.line) === index,
    );
    return { ok: false, problems: perLine.slice(0, 10) };
  }
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null))
    return { ok: true, source: null };

  const spots = new Map<string, Spot>();
  const duplicates: ConfigSource['duplicates'] = [];
  walk(document as Document, (path, spot) => {
    const before = spots.get(keyOf(path));
    if (before && typeof path.at(-1) === 'string' && path.at(-1) !== '<<')
      duplicates.push({ path, first: placeOf(before.key), second: placeOf(spot.key) });
    spots.set(keyOf(path), spot);
  });
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 200 });
  } catch (error) {
    const why = error instanceof ReferenceError ? 'its aliases (*name) multiply without end' : String(error);
    return {
      ok: false,
      problems: [{ place: { line: 1, column: 1, length: 1 }, message: `this cannot be read: ${why}` }],
    };
  }
  const contents: [number, number] | null = document.contents.range
    ? [document.contents.range[0], document.contents.range[1]]
    : null;
  const nearestSpot = (path: readonly PathPart[], pick: (spot: Spot) => [number, number] | null): Place => {
    for (let length = path.length; length > 0; length--) {
      const spot = spots.get(keyOf(path.slice(0, length)));
      const exact = length === path.length;
      // An ancestor stands for what is missing in it: its key says which one better than all of its lines.
      const range = spot && (exact ? (pick(spot) ?? spot.key ?? spot.value) : (spot.key ?? spot.value));
      if (range) return placeOf(range);
    }
    return placeOf(contents);
  };
  return {
    ok: true,
    source: {
      value,
      lines,
      duplicates,
      keyPlace: (path) => nearestSpot(path, (spot) => spot.key),
      valuePlace: (path) =>
        nearestSpot(path, (spot) => (spot.value && spot.value[1] > spot.value[0] ? spot.value : spot.key)),
      written: (path) => spots.get(keyOf(path))?.written ?? null,
    },
  };
}
