import { isMarked } from './placeholders.ts';

/**
 * A name and what stands between it and its value, in any dress: env, YAML, JSON, JSON within JSON, query strings. A name
 * starts only where no other goes on, and every repetition is bounded, which keeps this linear.
 */
const NAME =
  /(?<![A-Za-z0-9_]|[A-Za-z0-9]-)(?<name>[A-Za-z_][A-Za-z0-9_-]{0,127})\\{0,3}["']?[ \t]{0,4}(?:=>|:=|[:=])[ \t]{0,8}/g;

/** The ways a value may be written, tried in this order where a name has ended. Each has one group: the value. */
const VALUES = [
  /\\{1,3}["']([^"'\\\r\n]{1,4096})/y,
  /"((?:[^"\\\r\n]|\\.){1,4096})/y,
  /'((?:[^'\\\r\n]|\\.){1,4096})/y,
];
const BARE = /([^\s"'`,;&<>\\\uE000]{1,4096})/y;
/** `NAME=value` as a line of its own: an env file. */
const ENV_LINE = /([^\s"'`<>\uE000]{1,4096})/y;
/** `name: value` as a line of its own: YAML, where a value may have spaces. */
const YAML_LINE = /([^\s"'`<>|{[\uE000][^\r\n]{0,4095}?)(?=[ \t]+#|[ \t]*(?:\r|\n|$))/y;

const SECRET_WORDS = new Set([
  'password',
  'passwd',
  'passphrase',
  'pwd',
  'secret',
  'token',
  'apikey',
  'credential',
  'credentials',
  'authtoken',
  'accesstoken',
  'secretkey',
  'privatekey',
  'masterkey',
  'jwt',
  'sessionid',
  'phpsessid',
  'jsessionid',
  'otp',
  'psk',
  'clientsecret',
  'dbpassword',
  'dbpass',
  'pgpassword',
  'requirepass',
  'masterauth',
]);
/** These only after another word: `DB_PASS` and `REDIS_AUTH` hold a secret, `pass: 12` does not. */
const SECRET_ENDINGS = new Set(['pass', 'auth', 'pin', 'salt']);
/** `key` says nothing by itself; `api_key` and `private key` do. */
const KEY_OWNERS = new Set([
  'api',
  'access',
  'secret',
  'private',
  'encryption',
  'encrypt',
  'signing',
  'sign',
  'master',
  'account',
  'auth',
  'service',
  'shared',
  'session',
  'license',
  'app',
  'application',
  'jwt',
  'hmac',
  'preshared',
  'ssh',
  'deploy',
]);
/** Words after which the name still means the secret itself; after any other (`token_count`, `password_file`) it does not. */
const TAILS = new Set([
  'value',
  'string',
  'text',
  'plain',
  'raw',
  'base64',
  'old',
  'new',
  'current',
  'default',
  'prod',
  'production',
  'staging',
  'dev',
  'test',
  'live',
  '1',
  '2',
  '3',
]);

/** Values that give nothing away: words, references, placeholders. */
const HARMLESS =
  /^(?:null|none|nil|true|false|yes|no|on|off|undefined|unset|empty|missing|required|optional|invalid|expired|redacted|hidden|masked|0|1|[*x•.]{3,}|-+|env:\w+|file:\S*|\$\w+|\$[{(].*|%[a-z]|%\w+%|\{\{.*|process\.env\.\w+)$/i;

function holdsSecret(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[_-]+/)
    .filter((word) => word !== '');
  while (words.length > 1 && TAILS.has(words.at(-1) ?? '')) words.pop();
  const last = words.at(-1) ?? '';
  const before = words.at(-2);
  if (SECRET_WORDS.has(last)) return true;
  if (last === 'key') return before !== undefined && KEY_OWNERS.has(before);
  return before !== undefined && SECRET_ENDINGS.has(last);
}

function kindOf(name: string): string {
  const low = name.toLowerCase();
  if (/pass|pwd/.test(low)) return 'password';
  if (/token|jwt/.test(low)) return 'token';
  return low.includes('key') ? 'key' : 'secret';
}

/** Replaces the values of names such as `DB_PASSWORD`, `api_key`, `clientSecret`, and leaves the names. */
export function redactNamed(text: string, replace: (kind: string, secret: string) => string): string {
  NAME.lastIndex = 0;
  let result = '';
  let done = 0;
  for (let match = NAME.exec(text); match !== null; match = NAME.exec(text)) {
    const name = match.groups?.name ?? '';
    if (!holdsSecret(name)) continue;
    const value = valueAt(text, match.index, NAME.lastIndex, match[0]);
    if (value === null || isMarked(value.text) || HARMLESS.test(value.text)) continue;
    result += text.slice(done, value.from) + replace(kindOf(name), value.text);
    done = value.from + value.text.length;
    NAME.lastIndex = done;
  }
  return done === 0 ? text : result + text.slice(done);
}

function valueAt(text: string, start: number, from: number, match: string): { from: number; text: string } | null {
  const lineStart = /(?:^|[\r\n])[ \t]{0,64}(?:- |export )?$/.test(text.slice(Math.max(0, start - 80), start));
  const alone = lineStart && (start <= 80 || /[\r\n]/.test(text.slice(start - 80, start)));
  const bare = !alone ? BARE : match.endsWith('=') ? ENV_LINE : /:[ \t]+$/.test(match) ? YAML_LINE : BARE;
  for (const form of [...VALUES, bare]) {
    form.lastIndex = from;
    const value = form.exec(text)?.[1];
    if (value === undefined) continue;
    const trimmed = bare === BARE && form === bare ? value.replace(/[)}\].]+$/, '') : value;
    return trimmed === '' ? null : { from: form.lastIndex - value.length, text: trimmed };
  }
  return null;
}
