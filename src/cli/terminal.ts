import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Where a verb writes, and how. Colour only adds: it is off in a pipe and with NO_COLOR. */
export interface Terminal {
  line(text?: string): void;
  error(text: string): void;
  /** Without a line end, for text that streams. */
  write(text: string): void;
  style(style: Style, text: string): string;
  /** True when a person watches: progress may be redrawn. */
  readonly interactive: boolean;
  readonly width: number;
}

export function createTerminal(
  out: NodeJS.WriteStream = process.stdout, err: NodeJS.WriteStream = process.stderr, environment = process.env,
): Terminal {
  const interactive = out.isTTY === true;
  const colour = (interactive && !environment.NO_COLOR && environment.TERM !== 'dumb') || Boolean(environment.FORCE_COLOR);
  return {
    line: (text = '') => void out.write(`${text}\n`),
    error: (text) => void err.write(`${text}\n`),
    write: (text) => void out.write(text),
    style: (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text),
    interactive,
    width: Math.max(out.columns ?? 80, 40),
  };
}

const VERDICT_STYLE: Record<string, Style> = {
  ok: 'green', resolved: 'green', warn: 'yellow', critical: 'red', emergency: 'red', escalated: 'magenta', unknown: 'gray', open: 'red',
  holding: 'cyan', acting: 'cyan', diagnosing: 'cyan', awaiting: 'magenta', info: 'blue',
};

/** A state word in its colour, padded to a column. */
export const stateWord = (terminal: Terminal, word: string, width = word.length): string =>
  terminal.style(VERDICT_STYLE[word] ?? 'white', word.padEnd(width));

/** Columns as wide as their content, the last one cut to the terminal's width. Styles are applied after measuring. */
export function table(terminal: Terminal, rows: string[][], style?: (cell: string, column: number, row: number) => string): void {
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, index) => Math.max(most[index] ?? 0, cell.length)), []);
  const last = widths.length - 1;
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  rows.forEach((row, index) => {
    const cells = row.map((cell, column) => {
      const room = Math.max(terminal.width - before, 20);
      const text = column === last ? shorten(cell, terminal.interactive ? room : 500) : cell.padEnd(widths[column] ?? 0);
      return style ? style(text, column, index) : text;
    });
    terminal.line(cells.join('  ').trimEnd());
  });
}

/** At most `width` characters, the cut shown. */
export const shorten = (text: string, width: number): string => {
  const flat = text.replace(/\s+/g, ' ').trim();
  return flat.length <= width ? flat : `${flat.slice(0, Math.max(width - 1, 1))}…`;
};

/** `14:31:04`, local time. */
export const clockTime = (at: number): string => new Date(at).toLocaleTimeString('en-GB', { hour12: false });

/** `2026-01-29 14:30`, local time. */
export const dateTime = (at: number): string => {
  const date = new Date(at);
  const two = (number: number) => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
};

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
export const zone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;
