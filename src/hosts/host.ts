import type { Outcome } from '../base/outcome.ts';

/** A program and its arguments. Never a shell line: each element reaches the program as it stands. */
export type Argv = readonly [program: string, ...args: string[]];

export interface CommandRequest {
  argv: Argv;
  /** Ends the whole process group after this long. Default 15 000 ms. */
  timeoutMs?: number;
  /** Keeps this much of stdout and of stderr (the end of each) and drops the rest. Default 1 MB. */
  maxBytes?: number;
  input?: string;
  directory?: string;
  environment?: Readonly<Record<string, string>>;
  /** Needs root: run through `sudo -n` when Nightshift is an ordinary user there. */
  privileged?: boolean;
  signal?: AbortSignal;
}

/** Why a command gave no exit code of its own. */
export type CommandFailure =
  | 'not-found'
  | 'timed-out'
  | 'cancelled'
  | 'unreachable'
  | 'not-permitted'
  | 'could-not-start';

/** A command that ran, or could not. A non-zero exit code is data, not an error. */
export interface CommandResult {
  argv: Argv;
  exitCode: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
  durationMs: number;
  /** True when output beyond `maxBytes` was dropped. */
  truncated: boolean;
  failure?: CommandFailure;
}

export interface FileFacts {
  path: string;
  kind: 'file' | 'directory' | 'link' | 'socket' | 'other';
  sizeBytes: number;
  /** Milliseconds since the epoch. */
  modifiedAt: number;
  mode: number;
  owner: number;
  group: number;
  inode: number;
  /** Where a link points. */
  target?: string;
}

export interface FileText {
  text: string;
  sizeBytes: number;
  /** Offset in bytes at which `text` begins. */
  from: number;
  truncated: boolean;
}

/** An endpoint of a host as this machine can reach it. Dispose it when done. */
export interface ReachedEndpoint extends AsyncDisposable {
  address: string;
  port: number;
}

/** How to start a program that outlives Nightshift. */
export interface DetachedStart {
  argv: Argv;
  directory?: string;
  environment?: Readonly<Record<string, string>>;
  /** stdout and stderr are appended here. */
  logFile?: string;
}

/** How a program that this process started has ended. */
export interface ProcessEnd {
  exitCode: number | null;
  signal: string | null;
  /** Milliseconds since the epoch. */
  at: number;
}

/** A machine we can run commands on. Every method returns failure as a value; none rejects for what the outside did. */
export interface Host {
  /** `local`, or the name in the inventory. */
  readonly name: string;
  readonly kind: 'local' | 'ssh';
  platform(): Promise<'linux' | 'darwin' | 'unknown'>;
  run(request: CommandRequest): Promise<CommandResult>;
  /** Starts a program detached, in a process group of its own. */
  start(request: DetachedStart): Promise<Outcome<{ pid: number }>>;
  /** How a program started by this process through `start` has ended, if it has and it is known. */
  endOf(pid: number): ProcessEnd | null;
  /** Reads at most `maxBytes` (default 256 kB), from `from` or, with `fromEnd`, the last ones. Broken UTF-8 becomes U+FFFD. */
  readFile(path: string, options?: { maxBytes?: number; from?: number; fromEnd?: boolean }): Promise<Outcome<FileText>>;
  /** The whole file as it is, or an error when it is larger than `maxBytes` (default 1 MB). */
  readBytes(path: string, options?: { maxBytes?: number }): Promise<Outcome<Uint8Array>>;
  /** Writes a temporary file beside it, syncs, renames: a reader sees the old or the new, never half. Keeps mode and owner of what it replaces. */
  writeFile(path: string, content: string | Uint8Array, options?: { mode?: number }): Promise<Outcome<void>>;
  /** Facts of a path itself (a link is not followed); null when it does not exist. */
  fileFacts(path: string): Promise<Outcome<FileFacts | null>>;
  /** Entries of a directory, without `.` and `..`. */
  list(directory: string): Promise<Outcome<FileFacts[]>>;
  /** Moves within one file system. */
  rename(from: string, to: string): Promise<Outcome<void>>;
  remove(path: string): Promise<Outcome<void>>;
  /** Points a symbolic link somewhere else in one step. */
  relink(link: string, target: string): Promise<Outcome<void>>;
  /** An address of this machine that leads to `address:port` as the host itself sees it. */
  reach(address: string, port: number): Promise<Outcome<ReachedEndpoint>>;
}

/** True when the command ran and ended with exit code 0. */
export const succeeded = (result: CommandResult): boolean => result.exitCode === 0 && result.failure === undefined;
