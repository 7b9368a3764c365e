import { styleText } from 'node:util';
import { visible } from '../base/visible.ts';

type Style = Parameters<typeof styleText>[0];

/** Where a verb writes, and how. Colour only adds: it is off in a pipe and with NO_COLOR. */
export interface Terminal {
  line(text?: string): void;
  error(text: string): void;
  /** Without a line end, for text that streams. */
  write(text: string): void;
  style(style: Style, text: string): string;
  /** Says on a terminal that something takes a while; the call that it gives takes the words away again. */
  busy(text: string): () => void;
  /** True when a person watches: progress may be redrawn. */
  readonly interactive: boolean;
  /** Whether errors may be in colour: they may go elsewhere than the output. */
  readonly errorsInColour: boolean;
  /** Columns, as wide as the window is now. */
  readonly width: number;
  /** Aborts when nobody reads any more, as after `| head -1`. What is written from then on goes nowhere. */
  readonly closed: AbortSignal;
}

export function createTerminal(
  out: NodeJS.WriteStream = process.stdout,
  err: NodeJS.WriteStream = process.stderr,
  environment = process.env,
): Terminal {
  const interactive = out.isTTY === true;
  const { NO_COLOR, FORCE_COLOR, TERM } = environment;
  const forced = FORCE_COLOR !== undefined && FORCE_COLOR !== '' && FORCE_COLOR !== '0';
  const inColour = (stream: NodeJS.WriteStream): boolean =>
    !NO_COLOR && (forced || (stream.isTTY === true && TERM !== 'dumb'));
  const colour = inColour(out);
  const closed = new AbortController();
  const onError = (error: NodeJS.ErrnoException): void => {
    // A reader who has left is no fault of ours; a disk that is full under a redirected output is told at the end.
    if (error.code !== 'EPIPE') process.exitCode = 2;
    closed.abort();
  };
  out.on('error', onError);
  err.on('error', () => undefined);
  const write = (text: string): void => {
    if (!closed.signal.aborted) out.write(text);
  };
  // The last barrier: whatever a name, a log or a model brought along, the screen obeys none of it but our own colours.
  const shownIn =
    (inColour: boolean) =>
    (text: string): string =>
      inColour ? exceptColours(text) : visible(text);
  const [safe, safeError] = [shownIn(colour), shownIn(inColour(err))];
  return {
    line: (text = '') => write(`${safe(text)}\n`),
    error: (text) => void err.write(`${safeError(text)}\n`),
    write,
    style: (style, text) => (colour ? styleText(style, visible(text), { validateStream: false }) : text),
    busy: (text) => {
      if (!interactive) return () => undefined;
      write(colour ? styleText('dim', text, { validateStream: false }) : text);
      return () => write(CLEAR_LINE);
    },
    interactive,
    errorsInColour: inColour(err),
    closed: closed.signal,
    get width() {
      return Math.max(out.columns || 80, 40);
    },
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours begin with one
const OWN_COLOUR = /(\u001b\[\d{1,3}m)/;

/** A text that nothing obeys, but for the colours that `style` gives. */
const exceptColours = (text: string): string =>
  text
    .split(OWN_COLOUR)
    .map((part, index) => (index % 2 === 1 ? part : visible(part)))
    .join('');

/** Takes the line that the cursor stands on away. */
export const CLEAR_LINE = '\r\u001b[2K';

const VERDICT_STYLE: Record<string, Style> = {
  ok: 'green',
  resolved: 'green',
  warn: 'yellow',
  critical: 'red',
  emergency: 'red',
  incident: 'red',
  reopened: 'red',
  escalated: 'magenta',
  asks: 'magenta',
  unknown: 'gray',
  open: 'red',
  holding: 'cyan',
  acting: 'cyan',
  diagnosing: 'cyan',
  awaiting: 'magenta',
  info: 'blue',
  missing: 'red',
  note: 'yellow',
  warning: 'yellow',
  config: 'yellow',
};

/** A state word in its colour, padded to a column. */
export const stateWord = (terminal: Terminal, word: string, width = word.length): string => {
  const style = VERDICT_STYLE[word.toLowerCase()];
  const padded = word.padEnd(width);
  return style === undefined ? padded : terminal.style(style, padded);
};

/** Columns as wide as their content, the last one cut to the terminal's width. Styles are applied after measuring. */
export function table(
  terminal: Terminal,
  rows: string[][],
  style?: (cell: string, column: number, row: number) => string,
): void {
  const widths = rows.reduce<number[]>(
    (most, row) => row.map((cell, index) => Math.max(most[index] ?? 0, cell.length)),
    [],
  );
  const last = widths.length - 1;
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  rows.forEach((row, index) => {
    const cells = row.map((cell, column) => {
      const room = Math.max(terminal.width - before, 20);
      const text =
        column === last ? shorten(cell, terminal.interactive ? room : 500) : cell.padEnd(widths[column] ?? 0);
      return style ? style(text, column, index) : text;
    });
    terminal.line(cells.join('  ').trimEnd());
  });
}

/** A name in a column of its own and a text beside it: folded on a terminal, on one line in a pipe. */
export function field(terminal: Terminal, label: string, text: string, width = 10): void {
  const lines = terminal.interactive
    ? fold(text, Math.max(terminal.width - width, 20))
    : [text.replace(/\s+/g, ' ').trim()];
  lines.forEach((line, index) => {
    const name = label.length < width ? label.padEnd(width) : `${label} `;
    terminal.line(`${terminal.style('dim', index === 0 ? name : ' '.repeat(width))}${line}`);
  });
}

/** At most `width` characters on one line, the cut shown. */
export const shorten = (text: string, width: number): string => {
  const flat = text.replace(/\s+/g, ' ').trim();
  return flat.length <= width ? flat : `${flat.slice(0, Math.max(width - 1, 1)).trimEnd()}…`;
};

/** Lines of at most `width` characters, broken between words; a word that is longer stays whole, to be copied. At most `most` lines. */
export function fold(text: string, width: number, most = Number.POSITIVE_INFINITY): string[] {
  const lines: string[] = [];
  for (const word of text.replace(/\s+/g, ' ').trim().split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), shorten(lines.slice(most - 1).join(' '), width)];
}

/** `1 service`, `2 services`. */
export const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;

/** `14:31:04`, local time. */
export const clockTime = (at: number): string => {
  // By hand: the first use of a locale loads it, which is half of the start-up of `status`.
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
};

/** `2026-01-29 14:30`, local time. */
export const dateTime = (at: number): string => {
  const date = new Date(at);
  const two = (number: number) => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
};

/** `2026-01-29T14:30:00.000Z`, as programs read it. */
export const isoTime = (at: number): string => new Date(at).toISOString();

/** `37 s`, `4 min`, `2 h 05`, `3 d`. */
export function span(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 1) return `${Math.round(milliseconds)} ms`;
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${String(minutes % 60).padStart(2, '0')}` : `${Math.floor(hours / 24)} d`;
}

/** The zone's name, said once. */
export const zone = (): string => {
  const minutes = -new Date().getTimezoneOffset();
  if (minutes === 0) return 'UTC';
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? '-' : '+'}${hours}${rest === 0 ? '' : `:${String(rest).padStart(2, '0')}`}`;
};
