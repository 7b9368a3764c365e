import { excerpt, formatSpan } from '../../src/health/format.ts';
import type { CommandResult, Host } from '../../src/hosts/host.ts';
import type { ToolResult } from '../tool.ts';

export const done = <Details>(content: string, details: Details): ToolResult<Details> => ({
  ok: true,
  content,
  details,
});

/** What was tried, what came back, what to do next: in `content`. */
export const failed = <Details>(content: string, details: Details): ToolResult<Details> => ({
  ok: false,
  content,
  details,
});

/** `12 min ago`, or `in the future` for a clock that is ahead. */
export const ago = (now: number, at: number): string =>
  at > now + 1000 ? `in ${formatSpan(at - now)}` : `${formatSpan(now - at)} ago`;

/** `2026-11-21 14:30:05Z`: exact, and the same on every machine. */
export const moment = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')}Z`;

/** `3 processes`, `1 process`. */
export const count = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`;

/** What a command was, where, and what came back; for a command that failed. */
export function whatCameBack(result: CommandResult, host: Pick<Host, 'name'>): string {
  const line = excerpt(result.argv.join(' '), 120);
  const said = excerpt(lastOf(result.stderr) || lastOf(result.stdout), 300);
  const how =
    result.failure === undefined ? `exit code ${result.exitCode ?? `none, signal ${result.signal}`}` : result.failure;
  return `\`${line}\` on ${host.name}: ${how}${said === '' ? '' : `: ${said}`}`;
}

const lastOf = (text: string): string => text.trim().split('\n').slice(-4).join(' · ');

/** Lines of text, the empty ones left out. */
export const lines = (...parts: (string | false | null | undefined | readonly string[])[]): string =>
  parts
    .flat()
    .filter((part): part is string => typeof part === 'string' && part !== '')
    .join('\n');
