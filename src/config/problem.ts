/** A spot in the file. Lines and columns count from 1; `length` is the width of what is meant, on that line. */
export interface Place {
  line: number;
  column: number;
  length: number;
}

/** One thing wrong with a configuration: where, what was expected, and what was probably meant. */
export interface ConfigProblem {
  file: string;
  /** Null when it is the file itself that is wrong. */
  place: Place | null;
  /** Such as `services.api.checks[0].within`; empty for the file itself. */
  path: string;
  /** The line as it stands in the file, secrets masked; null when there is no place. */
  source: string | null;
  message: string;
  /** What was probably meant: `2s`. */
  suggestion?: string;
  /** The other spot, when it takes two to be wrong. */
  also?: { place: Place; path: string; source: string; message: string };
}

export type PathPart = string | number;

/** `services.api.checks[0].within`. */
export function pathText(path: readonly PathPart[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    if (!/^[\w@-]+$/.test(part)) return `${text}[${JSON.stringify(part)}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

const WIDTH = 100;
const INDENT = '    ';

interface Snippet {
  place: Place | null;
  path: string;
  source: string | null;
  message: string;
  suggestion?: string;
}

/** The visible part of a line around a spot, and where the spot begins in it. */
function cut(source: string, place: Place): { text: string; start: number; length: number } {
  const line = source.replace(/\t/g, ' ');
  const lead = line.length - line.trimStart().length;
  let from = Math.min(lead, place.column - 1);
  if (place.column - 1 - from > 60) from = place.column - 1 - 20;
  const room = WIDTH - INDENT.length - 1;
  const whole = line.slice(from).trimEnd();
  const text = whole.length > room ? `${whole.slice(0, room)}…` : whole;
  const start = place.column - 1 - from;
  return {
    text: from > lead ? `…${text.slice(1)}` : text,
    start,
    length: Math.max(1, Math.min(place.length, text.length - start)),
  };
}

/** A message on lines of its own, none wider than the terminal is taken to be. */
function wrap(message: string): string {
  const lines = [''];
  for (const word of message.split(' ')) {
    const last = lines[lines.length - 1] ?? '';
    if (last !== '' && INDENT.length + last.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.map((line) => INDENT + line).join('\n');
}

function renderOne(file: string, snippet: Snippet, paint: Paint): string {
  const { place, source } = snippet;
  const head = place ? `${file}:${place.line}:${place.column}` : file;
  const said = snippet.suggestion === undefined ? '' : ` Did you mean ${snippet.suggestion}?`;
  const end = said === '' || /[.?!]$/.test(snippet.message) ? '' : '.';
  const message = `${snippet.message}${end}${said}`;
  const title = paint.bold(head) + (snippet.path === '' ? '' : `  ${snippet.path}`);
  if (!place || source === null) return `${title}\n${wrap(message)}`;
  const { text, start, length } = cut(source, place);
  const carets = '^'.repeat(length);
  const under = INDENT + ' '.repeat(start) + paint.red(carets);
  const fits = INDENT.length + start + length + 2 + message.length <= WIDTH;
  return `${title}\n${INDENT}${text}\n${under}${fits ? `  ${message}` : `\n${wrap(message)}`}`;
}

interface Paint {
  bold(text: string): string;
  red(text: string): string;
}

const inColour: Paint = { bold: (text) => `\u001b[1m${text}\u001b[22m`, red: (text) => `\u001b[31m${text}\u001b[39m` };
const inBlack: Paint = { bold: (text) => text, red: (text) => text };

/** The problems as a person reads them in a terminal: place, line, carets under what is meant, what was expected. A file within `directory` is named from there. */
export function renderProblems(
  problems: readonly ConfigProblem[],
  options: { colour: boolean; directory?: string },
): string {
  const paint = options.colour ? inColour : inBlack;
  const within = options.directory === undefined ? null : `${options.directory.replace(/\/+$/, '')}/`;
  return problems
    .map((problem) => {
      const file =
        within !== null && problem.file.startsWith(within) ? problem.file.slice(within.length) : problem.file;
      const first = renderOne(file, problem, paint);
      return problem.also ? `${first}\n${renderOne(file, problem.also, paint)}` : first;
    })
    .join('\n\n');
}
