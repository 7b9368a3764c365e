import { editDistance } from './nearest.ts';

const SECRET_WORD = '(?:pass(?:word|wd|phrase)?|pwd|secret|token|credentials?|authorization|api_?key|private_?key|key)';
const SECRET_KEY = new RegExp(`(^|[^A-Za-z])${SECRET_WORD}$|${SECRET_WORD}s?$`, 'i');
/** `name: value` anywhere on a line, also within a flow map; the value runs to the next comma or brace. */
const NAMED_VALUE = /(["']?)([A-Za-z_][\w-]*)\1(\s*:\s+)("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,}\]#][^,}\]#]*)/g;
const URL_PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:)([^\s@/]+)(@)/gi;
const KNOWN_TOKEN =
  /\b(?:sk-[\w-]{16,}|gh[pousr]_\w{20,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|eyJ[\w-]{10,}\.[\w-]{10,}[\w.-]*)/g;

const stars = (text: string): string => '*'.repeat(text.length);

/** True for names such as `password`, `DB_PASSWORD`, `apiKey`, `auth-token`. */
export const namesSecret = (name: string): boolean => SECRET_KEY.test(name);

/** True for a name that was probably meant to be one of those, such as `pasword`. */
const nearlyNamesSecret = (name: string): boolean =>
  ['password', 'passwd', 'secret', 'token', 'apikey'].some((word) => editDistance(name.toLowerCase(), word) <= 2);

/** Long runs of letters and digits are keys more often than anything one needs to see. */
const RANDOM_RUN =
  /(?<![A-Za-z0-9+/_.-])(?=(?:[A-Za-z+/=_]*\d){3})(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9+/=_]{20,}(?![A-Za-z0-9+/=_.-])/g;

/** True for a URL that holds a password. */
export const holdsPassword = (text: string): boolean => new RegExp(URL_PASSWORD.source, 'i').test(text);

/** True for a text that is a token by its very form, such as `sk-…` or a JWT. */
export const looksLikeToken = (text: string): boolean => new RegExp(KNOWN_TOKEN.source).test(text);

/** A line of configuration with every value that may be a secret replaced by as many stars, so that columns stay. */
export function maskSecrets(line: string): string {
  return line
    .replace(URL_PASSWORD, (_, before: string, password: string, at: string) => before + stars(password) + at)
    .replace(KNOWN_TOKEN, stars)
    .replace(RANDOM_RUN, stars)
    .replace(NAMED_VALUE, (whole, quote: string, name: string, colon: string, value: string) =>
      (namesSecret(name) || nearlyNamesSecret(name)) && !/^["']?(env|file):/.test(value) && !/^[[{&*|>]/.test(value)
        ? `${quote}${name}${quote}${colon}${stars(value)}`
        : whole,
    );
}

/** Replaces a spot of a line by stars. */
export const maskSpan = (line: string, start: number, length: number): string =>
  line.slice(0, start) + stars(line.slice(start, start + length)) + line.slice(start + length);
