import { namesSecret } from '../../src/config/mask.ts';

const URL_PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:)[^\s@/]+@/gi;
/** Tokens that show by their form what they are. */
const KNOWN_TOKEN =
  /\b(?:sk[-_](?:live_|test_)?[\w-]{16,}|gh[pousr]_\w{20,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|eyJ[\w-]{10,}\.[\w-]{10,}[\w.-]*)/g;
/** `name = value` in the dresses it has in files and command lines. */

const PAIR = /(--?)?\b([A-Za-z_][\w-]*)(["']?\s{0,4}(?:=>|[=:])\s{0,4}|\s{1,4})(["']?)([^\s"',;]+)/g;
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
  const named = masked.replace(
    PAIR,
    (whole: string, dashes = '', name: string, between: string, quote: string, value: string) => {
      if (!namesSecret(name) || PATH.test(value) || TELLS_NOTHING.test(value) || value.startsWith('[hidden]'))
        return whole;
      return `${dashes}${name}${between}${quote}[hidden]`;
    },
  );
  return options.strict === true ? named.replace(LONG_VALUE, '$1[hidden]') : named;
}
