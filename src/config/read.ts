import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { failure, messageOf, type Outcome, success } from '../base/outcome.ts';

/** A configuration is a few kilobytes; whatever is larger is another file. */
const MOST_BYTES = 1024 * 1024;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; `nightshift init` writes one from what runs on this machine',
  ENOTDIR: 'there is no such file: a part of its path is not a folder',
  EACCES: 'the file cannot be read: permission denied; give your user the right to read it',
  EPERM: 'the file cannot be read: not permitted',
  ELOOP: 'the file cannot be read: its links lead in a circle',
};

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** A configuration says what is run. One that somebody else wrote, or could have written, is not obeyed. */
function strangerIn({ uid, mode }: { uid: number; mode: number }): string | null {
  const own = process.getuid?.() ?? uid;
  if (uid !== 0 && uid !== own)
    return `the file belongs to user ${uid}, and what it says would be run as user ${own}; if it is meant: chown ${own} it`;
  if ((mode & 0o002) !== 0) return 'everybody may write to the file, and what it says is run; chmod o-w it';
  return null;
}

/** The text of a configuration file, without a byte order mark; or in words why it cannot be one. */
export function readConfigText(path: string): Outcome<string> {
  let file: number | null = null;
  try {
    // Opened without waiting, so that a pipe that nobody writes to does not hold Nightshift up.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const facts = fstatSync(file);
    if (facts.isDirectory()) return failure('this is a folder; the file in it was expected, such as nightshift.yaml');
    if (!facts.isFile()) return failure('this is not an ordinary file');
    const stranger = strangerIn(facts);
    if (stranger) return failure(stranger);
    if (facts.size > MOST_BYTES)
      return failure(
        `the file has ${(facts.size / MOST_BYTES).toFixed(1)} MB, and a configuration has at most 1 MB; is it the right file?`,
      );
    const bytes = readFileSync(file);
    if (bytes.includes(0)) return failure('this is not a text file: it holds NUL bytes; YAML in UTF-8 was expected');
    return success(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof TypeError) return failure('this is not a text file in UTF-8');
    return failure(REASONS[codeOf(error)] ?? `the file cannot be read: ${messageOf(error)}`);
  } finally {
    if (file !== null) closeSync(file);
  }
}
