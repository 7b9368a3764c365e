import { failure, type Outcome, success } from '../base/outcome.ts';
import type { DetachedStart } from './host.ts';
import type { SshConnection } from './ssh-connection.ts';

/**
 * $1 directory or empty, $2 log file, then settings, `--` in our own sense (a line of its own), argv. The program gets a
 * session of its own (`setsid`; on macOS a process group and no SIGHUP) and keeps no pipe of ours, so the connection can close.
 */
const START = `
[ -z "$1" ] || cd -- "$1" || exit 1
command -v -- "$3" >/dev/null 2>&1 || { echo "$3 is not installed, or not on the PATH" >&2; exit 127; }
log=$2
shift 2
inner='exec 3>&1 </dev/null >>"$1" 2>&1 || exit 1; shift; echo "$$" >&3; exec 3>&-; exec "$@"'
if command -v setsid >/dev/null 2>&1; then
  pid=$(setsid sh -c "$inner" nightshift "$log" "$@" &)
else
  trap '' HUP
  set -m
  pid=$(sh -c "$inner" nightshift "$log" "$@" &)
fi
[ -n "$pid" ] || exit 1
echo "$pid"
`;
const TIMEOUT_MS = 15_000;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Starts a program that outlives the connection. How it ends cannot be known from here. */
export async function startRemotely(
  connection: SshConnection,
  request: DetachedStart,
): Promise<Outcome<{ pid: number }>> {
  const { argv, directory = '', environment = {}, logFile = '/dev/null' } = request;
  const names = Object.keys(environment);
  const wrong = names.find((name) => !NAME.test(name));
  if (wrong !== undefined)
    return failure(`could not start ${argv[0]}: ${wrong} is not a name for an environment variable`);
  if ([...argv, directory, logFile, ...Object.values(environment)].some((word) => word.includes('\0'))) {
    return failure(`could not start ${argv[0]}: an argument contains a NUL byte`);
  }
  const ran = await connection.remote({
    script:
      names.map((name, index) => `${name}=\${${index + 1}}; export ${name}; `).join('') +
      `shift ${names.length};` +
      START,
    args: [...Object.values(environment), directory, logFile, ...argv],
    timeoutMs: TIMEOUT_MS,
    maxBytes: 64 * 1024,
  });
  const pid = Number.parseInt(ran.stdout.toString(), 10);
  if (ran.exitCode === 0 && ran.failure === undefined && pid > 1) return success({ pid });
  const said = ran.stderr
    .toString()
    .trim()
    .replace(/\s*\n\s*/g, '; ');
  return failure(`could not start ${argv[0]}: ${ran.reason ?? (said || `exit code ${ran.exitCode}`)}`);
}
