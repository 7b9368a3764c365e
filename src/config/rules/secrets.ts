import type { Finding } from '../explain.ts';
import { holdsPassword, looksLikeToken, namesSecret } from '../mask.ts';
import type { PathPart } from '../problem.ts';
import { isRecord, type LooseInventory } from './inventory.ts';

const isReference = (text: string): boolean => /^(env:[A-Za-z_]|file:.)/.test(text);

function texts(value: unknown, path: PathPart[], visit: (text: string, path: PathPart[]) => void, depth = 0): void {
  if (depth > 40) return;
  if (typeof value === 'string') visit(value, path);
  else if (Array.isArray(value))
    for (const [index, each] of value.entries()) texts(each, [...path, index], visit, depth + 1);
  else if (isRecord(value))
    for (const [key, each] of Object.entries(value)) texts(each, [...path, key], visit, depth + 1);
}

/** Secrets that stand in the file itself. Their values are never shown. */
export function secretFindings({ root }: LooseInventory): Finding[] {
  const findings: Finding[] = [];
  texts(root, [], (text, path) => {
    if (holdsPassword(text)) {
      const place =
        path.includes('redis') || path.includes('postgres')
          ? 'leave it out and add "password: env:NAME"'
          : 'leave it out';
      findings.push({
        path,
        at: 'value',
        message:
          path.at(-1) === 'webhook'
            ? 'a URL with a password was written in plain; write env:NAME or file:PATH and keep the URL there'
            : `a password was written in plain into this URL; ${place}`,
        secret: true,
      });
    } else if (looksLikeToken(text) && !isReference(text)) {
      findings.push({
        path,
        at: 'value',
        message: 'this looks like a secret written in plain; write env:NAME or file:PATH',
        secret: true,
      });
    } else if (
      path.at(-1) === 'webhook' &&
      path[0] === 'escalate' &&
      !isReference(text) &&
      !/^https?:\/\/\S+$/.test(text)
    ) {
      findings.push({
        path,
        at: 'value',
        message: 'a URL, or env:NAME or file:PATH that holds one, was expected',
        secret: true,
      });
    }
  });
  return findings;
}

/** What may be a secret, but may as well be none: for people to look at. */
export function secretWarnings({ root, services }: LooseInventory): string[] {
  const warnings: string[] = [];
  for (const service of services) {
    const environment = service.settings.environment;
    if (isRecord(environment))
      for (const [name, value] of Object.entries(environment))
        if (namesSecret(name) && value !== '' && !(typeof value === 'string' && isReference(value)))
          warnings.push(
            `services.${service.name}.environment.${name} looks like a secret written in plain; let the service read it from a file of its own`,
          );
    const start = service.settings.start;
    if (
      Array.isArray(start) &&
      start.some((part, index) => {
        const [flag, value] = String(part).split('=', 2);
        return (
          namesSecret(String(flag).replace(/^-+/, '')) &&
          /^-/.test(String(part)) &&
          (value !== undefined || index + 1 < start.length)
        );
      })
    )
      warnings.push(
        `services.${service.name}.start seems to hold a secret, which everybody on that host can read with ps; pass it in a file`,
      );
  }
  const escalate = isRecord(root) && isRecord(root.escalate) ? root.escalate : {};
  if (
    typeof escalate.webhook === 'string' &&
    /^https:\/\/(hooks\.slack\.com|discord(app)?\.com\/api\/webhooks)\//.test(escalate.webhook)
  )
    warnings.push('escalate.webhook is an address that is a secret itself; write env:NAME or file:PATH instead');
  return warnings;
}
