import { failure, type Outcome, success } from '../base/outcome.ts';
import type { Config, Service } from '../config/schema.ts';
import type { Facts } from '../incidents/incident.ts';

/**
 * Fills the placeholders of a person's command with names of the inventory, and with nothing else. `{name}` fits itself
 * into its word: `worker_{name}` becomes the service or unit `worker_mail`, whether the service is called `mail` or
 * `worker_mail`.
 */
export function expandArgv(
  argv: readonly string[],
  service: Service,
  config: Pick<Config, 'services'>,
): Outcome<string[]> {
  const names = new Set([...config.services.values()].flatMap((each) => [each.name, each.unit]));
  const expanded: string[] = [];
  for (const word of argv) {
    const plain = word
      .replaceAll('{service}', service.name)
      .replaceAll('{host}', service.host)
      .replaceAll('{unit}', service.unit);
    const filled = fillName(plain, service, names);
    if (!filled.ok) return filled;
    expanded.push(filled.value);
  }
  return success(expanded);
}

function fillName(word: string, service: Service, names: ReadonlySet<string>): Outcome<string> {
  if (!word.includes('{name}')) return success(word);
  if (word === '{name}') return success(service.name);
  const whole = word.replaceAll('{name}', service.name);
  if (names.has(whole)) return success(whole);
  const [before = '', after = ''] = word.split('{name}');
  const own = [service.unit, service.name].find(
    (each) => each.startsWith(before) && each.endsWith(after) && each.length > before.length + after.length,
  );
  if (own) return success(own);
  // Beside another sign than those of names it stands on its own: `--unit={name}`, `/srv/{name}/cache`.
  if (!/[A-Za-z0-9_.-]$/.test(before) && !/^[A-Za-z0-9_.-]/.test(after)) return success(whole);
  return failure(`${word} gives ${whole} for ${service.name}, which no service or unit is called`);
}

/** Fills `{fact}` in a sentence for people; a fact that was not measured is said to be so. */
export const fillSentence = (text: string, facts: Facts): string =>
  text.replace(/\{([a-z0-9_]+)\}/g, (_, name: string) => {
    const value = facts[name];
    return value === undefined || value === null ? `(${name} not measured)` : String(value);
  });
