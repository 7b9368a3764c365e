import type { CommandFailure, CommandRequest, CommandResult } from './host.ts';
import { privilegeAdvice, sudoFailure, throughSudo } from './privilege.ts';
import type { RemoteFacts, RemoteResult, SshConnection } from './ssh-connection.ts';
import { decodeTail } from './tail-buffer.ts';

const DEFAULT_TIMEOUT_MS = 15_000;
const DEFAULT_MAX_BYTES = 1024 * 1024;
/** The far side's own limit comes into play only when we are gone. */
const FAR_LIMIT_SLACK_SECONDS = 5;
const NO_DIRECTORY = 'nightshift: no such directory';
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * $1 is the directory or empty, $2 the seconds for `timeout` or empty; the rest are settings and argv for `env`. `timeout`
 * comes first so that it stays in the session's own process group; a shell stays behind the program because ssh itself
 * would tell of death by a signal only as 255.
 */
const RUN = `
[ -z "$1" ] || cd -- "$1" 2>/dev/null || { echo "${NO_DIRECTORY} $1" >&2; exit 126; }
limit=$2
shift 2
run='mark=$1; shift; env "$@"; code=$?; [ "$code" -ne 255 ] || echo "$mark 255" >&2; exit "$code"'
[ -z "$limit" ] || exec timeout -k 2 "$limit" sh -c "$run" sh "$mark" "$@"
exec sh -c "$run" sh "$mark" "$@"
`;

/** A command on the far side: same promises as on this machine, as far as the connection carries them. */
export async function runRemotely(connection: SshConnection, request: CommandRequest): Promise<CommandResult> {
  const began = performance.now();
  const { argv, timeoutMs = DEFAULT_TIMEOUT_MS, maxBytes = DEFAULT_MAX_BYTES } = request;
  const answer = (failure: CommandFailure, stderr: string): CommandResult => ({
    argv,
    exitCode: null,
    signal: null,
    stdout: '',
    stderr,
    durationMs: Math.round(performance.now() - began),
    truncated: false,
    failure,
  });
  const bad = impossible(request);
  if (bad !== null) return answer('could-not-start', bad);
  const facts = await connection.facts();
  if (!facts.ok) return answer('unreachable', facts.error);
  const ran = await connection.remote({
    script: RUN,
    args: [
      request.directory ?? '',
      farLimit(facts.value, timeoutMs),
      ...settings(request),
      ...words(request, facts.value),
    ],
    timeoutMs,
    maxBytes,
    ...(request.input === undefined ? {} : { input: request.input }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  return toResult(request, ran, Boolean(request.privileged) && !facts.value.isRoot);
}

/** What no command line can carry. */
function impossible({ argv, environment = {}, directory = '' }: CommandRequest): string | null {
  const given = [...argv, directory, ...Object.values(environment)];
  if (given.some((word) => word.includes('\0'))) return 'an argument contains a NUL byte';
  if (argv[0].includes('=')) return `${argv[0]} cannot be started over ssh: its name contains "="`;
  const wrong = Object.keys(environment).find((name) => !NAME.test(name));
  return wrong === undefined ? null : `${wrong} is not a name for an environment variable`;
}

const settings = ({ environment = {} }: CommandRequest): string[] =>
  Object.entries({ LC_ALL: 'C', ...environment }).map(([name, value]) => `${name}=${value}`);

const words = ({ argv, privileged }: CommandRequest, facts: RemoteFacts): readonly string[] =>
  privileged && !facts.isRoot ? throughSudo(argv) : argv;

const farLimit = (facts: RemoteFacts, timeoutMs: number): string =>
  facts.hasTimeout ? String(Math.ceil(timeoutMs / 1000) + FAR_LIMIT_SLACK_SECONDS) : '';

function toResult(request: CommandRequest, ran: RemoteResult, viaSudo: boolean): CommandResult {
  const { argv } = request;
  const said = decodeTail(ran.stderr, ran.stderrTruncated);
  const failure =
    ran.failure ?? (viaSudo ? sudoFailure(ran.exitCode, said) : undefined) ?? notStarted(argv[0], ran, said);
  const advice = viaSudo && failure === 'not-permitted' ? privilegeAdvice(argv) : ran.reason;
  return {
    argv,
    exitCode: failure === undefined ? ran.exitCode : null,
    signal: failure === undefined ? signalOf(ran) : null,
    stdout: decodeTail(ran.stdout, ran.stdoutTruncated),
    stderr:
      advice === undefined
        ? said
        : failure === 'unreachable'
          ? advice
          : [said.trimEnd(), advice].filter(Boolean).join('\n'),
    durationMs: ran.durationMs,
    truncated: ran.stdoutTruncated || ran.stderrTruncated,
    ...(failure === undefined ? {} : { failure }),
  };
}

/** Tells "there is no such program" from a program that itself ended with 126 or 127. */
function notStarted(program: string, ran: RemoteResult, said: string): CommandFailure | undefined {
  if (ran.exitCode !== 126 && ran.exitCode !== 127) return undefined;
  if (said.startsWith(NO_DIRECTORY)) return 'could-not-start';
  const last = said.trimEnd().split('\n').at(-1) ?? '';
  if (!/^env: /.test(last) || !last.includes(program)) return undefined;
  // A folder on the PATH that may not be searched makes it 126, too.
  return ran.exitCode === 127 || !program.includes('/') ? 'not-found' : 'not-permitted';
}

const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  6: 'SIGABRT',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  15: 'SIGTERM',
};

/** The shell there tells of death by a signal as 128 and the number. */
const signalOf = (ran: RemoteResult): string | null => SIGNALS[(ran.exitCode ?? 0) - 128] ?? null;
