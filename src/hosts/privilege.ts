import type { Argv, CommandFailure } from './host.ts';

/** `argv` as root by a sudo that never asks. */
export const throughSudo = (argv: Argv): Argv => ['sudo', '-n', '--', ...argv];

const REFUSALS = [
  /a password is required/i,
  /a terminal is required/i,
  /no tty present/i,
  /must have a tty/i,
  /not in the sudoers file/i,
  /may not run sudo/i,
  /is not allowed to (execute|run)/i,
  /not allowed to set the following/i,
];

/** What sudo's own message means, when it was sudo that failed and not the command behind it. */
export function sudoFailure(exitCode: number | null, stderr: string): CommandFailure | undefined {
  if (exitCode !== 1) return undefined;
  const lines = stderr.split('\n').filter((line) => /^(sudo:|Sorry, user |\S+ is not in the sudoers)/.test(line));
  if (lines.some((line) => REFUSALS.some((refusal) => refusal.test(line)))) return 'not-permitted';
  return lines.some((line) => line.endsWith(': command not found')) ? 'not-found' : undefined;
}

/** What a person can do about it. */
export const privilegeAdvice = (argv: Argv): string =>
  `Nightshift may not run \`${argv.join(' ')}\` as root here: sudo wants a password. ` +
  'Run `nightshift doctor` for the exact sudoers line that allows it.';
