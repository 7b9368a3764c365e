import { namesSecret } from '../../src/config/mask.ts';

const URL_PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:)[^\s@/]+@/gi;
/** Tokens that show by their form what they are. */
const KNOWN_TOKEN =
  /\b(?:sk[-_](?:live_|test_)?[\w-]{16,}|gh[pousr]_\w{20,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|eyJ[\w-]{10,}\.[\w-]{10,}[\w.-]*)/g;
const NAME = /\b[A-Za-z_][\w-]*/g;
/** What stands behind a name in files and command lines: `=`, `: "`, a blank; then the value. */
const VALUE = /(["']?\s{0,4}(?:=>|[=:])\s{0,4}|\s{1,4})(["']?)([^\s"',;]+)/y;
/** A path says where a secret is, not what it is. */
const PATH = /^(\.{1,2}|~|\/(etc|usr|var|opt|srv|home|run|root|tmp|mnt|data|Library|private))\//;
const TELLS_NOTHING = /^(true|false|yes|no|on|off|null|none|env:\S+|file:\S+|\d{1,4}|\$\S+)$/i;
/** A line of nothing but base64: a key or a certificate. */
const BLOCK = /^([+\- ]?\s*)(?=\S*[A-Z])(?=\S*[a-z0-9])[A-Za-z0-9+/]{40,}={0,2}\s*$/;
const LONG_VALUE = /(=\s*["']?)(?=[^\s"']*\d)(?=[^\s"']*[A-Za-z])[^\s"'/]{20,}/;

/** A line of a file, a diff or a process title with what may be a secret replaced by `[hidden]`. */
export function hideSecrets(line: string, options: { strict?: boolean } = {}): string {
  const blocked = line.replace(BLOCK, '$1[hidden]');
  if (blocked !== line) return blocked;
  const masked = line.replace(URL_PASSWORD, '$1[hidden]@').replace(KNOWN_TOKEN, '[hidden]');
  const named = hideNamed(masked);
  return options.strict === true ? named.replace(LONG_VALUE, '$1[hidden]') : named;
}

/** Looks at every name: one that is itself behind another (`-x --password …`) counts as much as the first. */
function hideNamed(line: string): string {
  let shown = '';
  let from = 0;
  for (const { 0: name, index } of line.matchAll(NAME)) {
    if (index < from || !namesSecret(name)) continue;
    VALUE.lastIndex = index + name.length;
    const [whole, between = '', quote = '', value = ''] = VALUE.exec(line) ?? [];
    // The last part of a path is no name of what comes behind the blank.
    const inPath = line[index - 1] === '/' && between.trim() === '';
    if (whole === undefined || inPath || PATH.test(value) || TELLS_NOTHING.test(value) || value.startsWith('[hidden]'))
      continue;
    shown += `${line.slice(from, index)}${name}${between}${quote}[hidden]`;
    from = index + name.length + whole.length;
  }
  return shown + line.slice(from);
}
