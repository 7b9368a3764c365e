import { randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { failure, type Outcome, success } from '../base/outcome.ts';
import { commandEnvironment } from './environment.ts';
import { quoteAll } from './quote.ts';
import { type SpawnResult, spawnProgram } from './spawn.ts';
import { controlSocket } from './ssh-socket.ts';

export interface SshSettings {
  /** The name in the inventory. */
  name: string;
  /** A name of ~/.ssh/config or user@host. */
  destination: string;
  port?: number;
}

/** What the first contact tells about a host. */
export interface RemoteFacts {
  platform: 'linux' | 'darwin' | 'unknown';
  isRoot: boolean;
  /** `timeout` is there, so that a command ends even when we are gone. */
  hasTimeout: boolean;
}

export interface RemoteRequest {
  /** A fixed text of ours; everything that varies comes as `$1`, `$2` ... */
  script: string;
  args: readonly string[];
  timeoutMs: number;
  maxBytes: number;
  input?: string | Uint8Array;
  signal?: AbortSignal;
}

/** What came back; `began` is false when the far side never got as far as running it. */
export interface RemoteResult extends SpawnResult {
  began: boolean;
  /** Its process there, which leads a session of its own. */
  pid: number | null;
}

export interface SshConnection {
  /** Connects if need be. Failure says why the host cannot be reached. */
  facts(): Promise<Outcome<RemoteFacts>>;
  /** Runs a script there. A lost connection is the failure `unreachable`; its message is `reason`. */
  remote(request: RemoteRequest): Promise<RemoteResult>;
  /** The arguments of `ssh` for this host, `options` among them, up to and including the destination. */
  sshArguments(options?: readonly string[]): string[];
}

/** Below a check's usual time limit of 5 s, so that a host that is gone is said to be gone, not slow. */
const CONNECT_SECONDS = 4;
const PERSIST_SECONDS = 120;
/** sshd refuses an eleventh session on one connection by default (MaxSessions 10); some room is left for forwards. */
const SESSIONS = 7;
/** For so long nobody tries again to reach a host that could not be reached: one dead host must not hold up every check. */
const UNREACHABLE_MS = 5000;
/** The first line of stderr says that the far side got so far, and as which process; `$mark` is ours alone. */
const PRELUDE =
  'mark=$1; shift; printf "%s %s\\n" "$mark" "$$" >&2; ' +
  'PATH="$PATH:/usr/local/bin:/usr/local/sbin:/usr/bin:/bin:/usr/sbin:/sbin:/opt/homebrew/bin"; export PATH; ';
const FIRST_CONTACT = 'uname -s; id -u; command -v timeout || :';
const END_GROUP = 'kill -s TERM -- "-$1" && sleep 1 && kill -s KILL -- "-$1"';
/** One connection to a host, shared by all commands: the first opens it, it closes by itself when unused. */
export function createSshConnection(settings: SshSettings, clock: Clock): SshConnection {
  const socket = controlSocket();
  const token = `nightshift-${randomBytes(8).toString('hex')}`;
  const turn = createTurns(SESSIONS);
  let contact: { result: Promise<Outcome<RemoteFacts>>; failedAt: number | null } | null = null;

  const sshArguments = (options: readonly string[] = []) => [
    ...['-T', '-x', '-a'],
    ...Object.entries({
      BatchMode: 'yes',
      StrictHostKeyChecking: 'yes',
      ConnectTimeout: CONNECT_SECONDS,
      ServerAliveInterval: 5,
      ServerAliveCountMax: 3,
      ControlMaster: 'auto',
      ControlPath: socket,
      ControlPersist: PERSIST_SECONDS,
      PermitLocalCommand: 'no',
      RemoteCommand: 'none',
      LogLevel: 'ERROR',
    }).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    ...options,
    ...(settings.port === undefined ? [] : ['-p', String(settings.port)]),
    '--',
    settings.destination,
  ];

  const once = async (request: RemoteRequest): Promise<RemoteResult> => {
    const line = `exec ${quoteAll(['sh', '-c', PRELUDE + request.script, 'nightshift', token, ...request.args])}`;
    const ran = await spawnProgram({
      argv: ['ssh', ...sshArguments(), line],
      timeoutMs: request.timeoutMs,
      maxBytes: request.maxBytes,
      environment: commandEnvironment(process.env),
      ...(request.input === undefined ? {} : { input: request.input }),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
    return interpret(ran, token, settings);
  };

  const connect = async (): Promise<Outcome<RemoteFacts>> => {
    const ran = await once({ script: FIRST_CONTACT, args: [], timeoutMs: CONNECT_SECONDS * 2000, maxBytes: 8192 });
    if (ran.failure !== undefined || !ran.began)
      return failure(`${settings.name} cannot be reached: ${ran.reason ?? ran.stderr}`);
    const [system = '', user = '', timeout = ''] = ran.stdout.toString().split('\n');
    const platform = system === 'Linux' ? 'linux' : system === 'Darwin' ? 'darwin' : 'unknown';
    return success({ platform, isRoot: user === '0', hasTimeout: timeout !== '' });
  };

  const facts = async (): Promise<Outcome<RemoteFacts>> => {
    if (contact?.failedAt != null && clock.now() - contact.failedAt >= UNREACHABLE_MS) contact = null;
    contact ??= { result: connect(), failedAt: null };
    const mine = contact;
    const result = await mine.result;
    if (!result.ok) mine.failedAt ??= clock.now();
    return result;
  };

  const remote = async (request: RemoteRequest): Promise<RemoteResult> => {
    const reached = await facts();
    if (!reached.ok) return unreachable(reached.error);
    const ran = await turn(() => once(request));
    if (ran.failure === 'unreachable') contact = null;
    // The far side knows nothing of our giving up: end its process group, which the session leads.
    const gaveUp = ran.failure === 'timed-out' || ran.failure === 'cancelled';
    if (gaveUp && ran.pid !== null) {
      await turn(() => once({ script: END_GROUP, args: [String(ran.pid)], timeoutMs: 5000, maxBytes: 1024 }));
    }
    return ran;
  };

  return { facts, remote, sshArguments };
}

function interpret(ran: SpawnResult, token: string, settings: SshSettings): RemoteResult {
  const head = ran.stderrHead.toString();
  const mark = head.indexOf(token);
  const began = mark >= 0;
  const pid = began ? Number.parseInt(head.slice(mark + token.length), 10) : null;
  const said = ran.stderr.toString();
  const own = said.indexOf(token);
  const rest = own >= 0 ? said.slice(said.indexOf('\n', own) + 1) : said;
  // ssh ends with 255 when it lost the connection, with or without a word; a command that ends so says that it did.
  const ended = rest.includes(`${token} 255\n`);
  const lost = began && ran.exitCode === 255 && !ended;
  const stderr = began ? Buffer.from(rest.replace(`${token} 255\n`, '')) : ran.stderr;
  if (ran.failure === 'not-found')
    return { ...ran, began, pid, failure: 'unreachable', reason: 'ssh is not installed on this machine' };
  if (ran.failure !== undefined) return { ...ran, stderr, began, pid };
  if (began && !lost) return { ...ran, stderr, began, pid };
  const message = rest.trim().replace(/\s*\n\s*/g, '; ');
  const reason = lost
    ? `the connection to ${settings.destination} was lost while the command ran${message && `: ${message}`}`
    : `ssh ${settings.destination}: ${message || `exit code ${ran.exitCode}`}${adviceFor(message, settings)}`;
  return { ...ran, exitCode: null, stderr, began, pid, failure: 'unreachable', reason };
}

function adviceFor(message: string, { destination, port }: SshSettings): string {
  const target = port === undefined ? destination : `-p ${port} ${destination}`;
  if (/Host key verification failed|No .* host key is known/.test(message)) {
    return ` (connect once by hand with \`ssh ${target}\` and compare the host key)`;
  }
  return /Permission denied/.test(message)
    ? ` (a key without a passphrase or an agent is needed; \`nightshift doctor\` says more)`
    : '';
}

const NOTHING = Buffer.alloc(0);

const unreachable = (reason: string): RemoteResult => ({
  exitCode: null,
  signal: null,
  stdout: NOTHING,
  stderr: NOTHING,
  stderrHead: NOTHING,
  stdoutTruncated: false,
  stderrTruncated: false,
  durationMs: 0,
  failure: 'unreachable',
  reason,
  began: false,
  pid: null,
});

/** Lets so many in at once; the others wait for their turn. */
function createTurns(atOnce: number): <Value>(task: () => Promise<Value>) => Promise<Value> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (task) => {
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
