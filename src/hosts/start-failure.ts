import { statSync } from 'node:fs';
import type { Argv, CommandFailure } from './host.ts';

const WHY: Readonly<Record<string, string>> = {
  EACCES: 'it may not be executed by this user',
  EPERM: 'it may not be executed by this user',
  ENOEXEC: 'it is not a program this machine can run',
  E2BIG: 'its arguments are too long for this system',
  EAGAIN: 'this user has too many processes',
  ENOMEM: 'there is not enough memory for another process',
  EMFILE: 'Nightshift has too many files open',
  ENFILE: 'the system has too many files open',
};

/** Why a program did not even begin, in words a person can act on. */
export function startFailure(
  request: { argv: Argv; directory?: string },
  error: { code?: string; originalMessage?: string; shortMessage?: string },
): { failure: CommandFailure; reason: string } {
  const [program] = request.argv;
  if (request.directory !== undefined && !isDirectory(request.directory)) {
    return { failure: 'could-not-start', reason: `the directory ${request.directory} does not exist` };
  }
  const code = error.code ?? '';
  // A folder on the PATH that may not be searched gives EACCES for a program that is nowhere.
  if (code === 'ENOENT' || (code === 'EACCES' && !isOnPath(program))) {
    // A script whose interpreter is missing gives the same error code.
    return program.includes('/')
      ? { failure: 'not-found', reason: `${program} does not exist (or the interpreter it names does not)` }
      : { failure: 'not-found', reason: `${program} is not installed, or not on the PATH` };
  }
  const reason = WHY[code] ?? error.originalMessage ?? error.shortMessage ?? 'no reason given';
  return { failure: code === 'EACCES' || code === 'EPERM' ? 'not-permitted' : 'could-not-start', reason };
}

const isDirectory = (path: string): boolean => statsOf(path)?.isDirectory() ?? false;

const isOnPath = (program: string): boolean =>
  program.includes('/') ||
  (process.env.PATH ?? '').split(':').some((folder) => statsOf(`${folder}/${program}`)?.isFile() ?? false);

function statsOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // Not to be searched by this user is as good as not there.
    return undefined;
  }
}

/** No system can hand a NUL byte to a program, and execa throws at one. */
export const holdsNul = (request: {
  argv: Argv;
  directory?: string;
  environment?: Readonly<Record<string, string>>;
}): boolean =>
  [...request.argv, request.directory ?? '', ...Object.entries(request.environment ?? {}).flat()].some((word) =>
    word.includes('\0'),
  );
