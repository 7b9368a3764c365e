import { holdsPassword, looksLikeToken, namesSecret } from '../../config/mask.ts';

const INTERPRETERS =
  /^(node|nodejs|bun|deno|tsx|python[\d.]*|pypy[\d.]*|ruby[\d.]*|perl|php[\d.]*|java|bash|sh|zsh|dash|dotnet|elixir|erl|uv|npm|npx|env)$/;
const GENERIC =
  /^(server|index|main|app|start|run|cli|worker|web|api|manage|wsgi|asgi|bin|dist|build|src|lib|current|\d+)$/i;
const HARMLESS = /^[\w@%+=:,./[\]*~-]{1,160}$/;

/** The last part of a path. */
export const baseName = (path: string): string => path.replace(/\/+$/, '').split('/').at(-1) ?? path;

export const isInterpreter = (program: string): boolean => INTERPRETERS.test(baseName(program));

/** True for what may be shown to everybody: an ordinary word or path, and nothing with the looks of a key. */
function isHarmless(token: string): boolean {
  if (!HARMLESS.test(token) || holdsPassword(token) || looksLikeToken(token)) return false;
  const [name, value] = token.replace(/^-+/, '').split('=', 2);
  if (namesSecret(name ?? '') && (value !== undefined || token.startsWith('-'))) return false;
  // Long runs of mixed letters and digits are keys more often than words.
  return token
    .split(/[/=:,.@_-]/)
    .every((part) => part.length < 16 || !/\d/.test(part) || !/[a-z]/i.test(part) || /^[0-9a-f]{2,12}$/i.test(part));
}

/** What an option may be given without being hidden: a number, a path, an address. Words may be passwords. */
const PLAIN_VALUE =
  /^(\d+(\.\d+)?(ms|[smhkKMG])?|\.{0,2}\/.*|[\w.*-]*:\d{1,5}|(\d{1,3}\.){3}\d{1,3}|localhost|true|false|on|off)$/;
/** Short options with something attached (`-psecret`) are cut, but for these. */
const KNOWN_SHORT = /^-(\w|jar|server|Xm[sx]\d+[kKmMgG])$/;

function mayFollow(token: string, previous: string | undefined): boolean {
  if (token.startsWith('--')) {
    const value = /=(.*)$/.exec(token)?.[1];
    return value === undefined || PLAIN_VALUE.test(value);
  }
  if (token.startsWith('-')) return KNOWN_SHORT.test(token);
  const afterOption = previous?.startsWith('-') === true && !/^-(m|jar)$/.test(previous) && !previous.includes('=');
  return !afterOption || PLAIN_VALUE.test(token) || /\.(c|m)?[jt]s$|\.py$|\.rb$|\.jar$/.test(token);
}

/** An argv up to the first argument that may be a secret; an option that names one goes with it. */
export function withoutSecrets(argv: readonly string[]): { argv: string[]; cut: boolean } {
  const bad = argv.findIndex((token, index) => !isHarmless(token) || (index > 0 && !mayFollow(token, argv[index - 1])));
  return bad < 0 ? { argv: [...argv], cut: false } : { argv: argv.slice(0, bad), cut: true };
}

/** The elements of a command line: from `/proc/PID/cmdline` where it is whole, else as far as blanks tell them apart. */
export function splitCommand(cmdline: string | null, command: string): string[] {
  const tokens = (cmdline ?? '').split('\0').filter((token) => token !== '');
  if (tokens.length > 1) return tokens;
  // Programs that write their own title leave one text: `redis-server *:6379`.
  return (tokens[0] ?? command).split(/\s+/).filter((token) => token !== '');
}

/** The script an interpreter runs, or the module of `python -m`; null when there is none. */
export function scriptOf(argv: readonly string[]): string | null {
  if (!isInterpreter(argv[0] ?? '')) return null;
  for (let index = 1; index < argv.length; index++) {
    const token = argv[index] ?? '';
    if (token === '-m' || token === '-jar') return argv[index + 1] ?? null;
    if (/^-(e|c|p|-eval|-print)$/.test(token)) return null;
    if (/^(-r|--require|--import|--loader|-W|-X|--env-file)$/.test(token)) index++;
    else if (!token.startsWith('-') && token !== 'run') return token;
  }
  return null;
}

/** A short name for what a command line runs: the script, its folder when the script's own name says nothing, or the program. */
export function nameOfCommand(argv: readonly string[], directory: string | null): string {
  const script = scriptOf(argv);
  if (script === null) return baseName(argv[0] ?? 'process').replace(/:$/, '');
  const path = script.startsWith('/') ? script : `${directory ?? ''}/${script}`;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  const stem = (parts.pop() ?? script).replace(/\.(c|m)?[jt]s$|\.py$|\.rb$|\.jar$|\.php$|\.pl$|\.sh$/, '');
  if (!GENERIC.test(stem)) return stem.split(':')[0] ?? stem;
  const folder = parts
    .reverse()
    .find((part) => !GENERIC.test(part) && !/^(home|opt|srv|var|usr|root|tmp|www|Users)$/.test(part));
  return folder ?? stem;
}

/** A text from a command line that fits it and its own family and no other process; null when none does. Never holds a secret. */
export function distinctiveText(argv: readonly string[], command: string, others: readonly string[]): string | null {
  const safe = withoutSecrets(argv).argv;
  const program = safe[0];
  if (program === undefined) return null;
  const script = scriptOf(safe);
  // `node -e` alone would fit whatever else is started that way.
  const least = isInterpreter(program) ? (script === null ? Number.POSITIVE_INFINITY : safe.indexOf(script) + 1) : 1;
  const candidates = [
    script?.startsWith('/') ? script : null,
    ...[least, 2, 3, 4, 6].map((length) =>
      length >= least && safe.length >= length ? safe.slice(0, length).join(' ') : null,
    ),
  ];
  return (
    candidates.find(
      (text): text is string =>
        text !== null && text.length >= 3 && command.includes(text) && !others.some((other) => other.includes(text)),
    ) ?? null
  );
}
