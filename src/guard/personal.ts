/** Last labels of names that look like an address and are none: systemd units, and hosts of a private network. */
const NOT_MAIL = new Set([
  'service',
  'socket',
  'timer',
  'target',
  'mount',
  'automount',
  'path',
  'slice',
  'scope',
  'device',
  'swap',
  'local',
  'lan',
  'internal',
  'localdomain',
  'home',
  'cluster',
]);
const LOCAL = /[A-Za-z0-9._%+-]{1,64}$/;
const DOMAIN = /@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}(?<last>[A-Za-z]{2,24})(?![A-Za-z0-9-])/y;

/** Replaces e-mail addresses. `git@host` is how repositories are named, and stays. */
export function redactMail(text: string, replace: (kind: string, secret: string) => string): string {
  let result = '';
  let done = 0;
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    DOMAIN.lastIndex = at;
    const domain = DOMAIN.exec(text);
    if (!domain || NOT_MAIL.has(domain.groups?.last?.toLowerCase() ?? '')) continue;
    const local = LOCAL.exec(text.slice(Math.max(done, at - 64), at))?.[0];
    if (local === undefined || local === 'git') continue;
    result += text.slice(done, at - local.length) + replace('email', local + domain[0]);
    done = DOMAIN.lastIndex;
    at = done - 1;
  }
  return done === 0 ? text : result + text.slice(done);
}

/** 16 digits in fours or at one go, or 15 as American Express prints them; beginning as cards do. */
const CARD = /(?<![\w./-])(?:[2-6]\d{3}([ -]?)\d{4}\1\d{4}\1\d{4}|3[47]\d{2}([ -]?)\d{6}\2\d{5})(?![\w/-]|\.\d)/g;

/** Replaces payment card numbers: those whose check digit fits (ISO/IEC 7812-1, annex B, by Luhn). */
export function redactCards(text: string, replace: (kind: string, secret: string) => string): string {
  return text.replace(CARD, (number) => (checksOut(number) ? replace('card', number) : number));
}

function checksOut(number: string): boolean {
  const digits = number.replace(/\D/g, '');
  let sum = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const digit = Number(digits[digits.length - 1 - place]);
    const doubled = place % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
