import { type CheckKind, checkKinds } from '../checks.ts';
import { valueAt } from '../explain.ts';
import type { PathPart } from '../problem.ts';

/** A check as far as it can be made out, whether or not it is right otherwise. */
export interface LooseCheck {
  path: PathPart[];
  kind: CheckKind;
  /** As written in the file; null when it has none. */
  name: string | null;
  settings: Readonly<Record<string, unknown>>;
}

/** A service as far as it can be made out, so that the rules see everything at once, also in a file with mistakes. */
export interface LooseService {
  name: string;
  path: PathPart[];
  host: string;
  manager: string;
  dependsOn: { name: string; path: PathPart[] }[];
  checks: LooseCheck[];
  settings: Readonly<Record<string, unknown>>;
}

export interface LooseInventory {
  root: unknown;
  hosts: ReadonlyMap<string, string>;
  services: LooseService[];
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const recordAt = (root: unknown, path: readonly PathPart[]): Record<string, unknown> => {
  const value = valueAt(root, path);
  return isRecord(value) ? value : {};
};

export const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** The kind of a check as written; null when it names none or cannot be told. */
export function kindOf(settings: Readonly<Record<string, unknown>>): CheckKind | null {
  const present = checkKinds.filter((kind) => Object.hasOwn(settings, kind));
  return (present.length > 1 ? present.find((kind) => kind !== 'unit') : present[0]) ?? null;
}

function checksOf(settings: Readonly<Record<string, unknown>>, path: PathPart[]): LooseCheck[] {
  const written = Array.isArray(settings.checks) ? settings.checks : [];
  return written.flatMap((check: unknown, index) => {
    const kind = isRecord(check) ? kindOf(check) : null;
    if (!isRecord(check) || kind === null) return [];
    return [{ path: [...path, 'checks', index], kind, name: textOf(check.name), settings: check }];
  });
}

/** What can be made out of a configuration's services and hosts. */
export function looseInventory(root: unknown): LooseInventory {
  const hosts = Object.entries(recordAt(root, ['hosts'])).map(
    ([name, host]) => [name, (isRecord(host) && textOf(host.ssh)) || name] as const,
  );
  const services = Object.entries(recordAt(root, ['services'])).flatMap(([name, settings]) => {
    if (!isRecord(settings)) return [];
    const path = ['services', name];
    const written = Array.isArray(settings.depends_on) ? settings.depends_on : [];
    return [
      {
        name,
        path,
        host: textOf(settings.host) ?? 'local',
        manager: textOf(settings.manager) ?? '',
        dependsOn: written.flatMap((each: unknown, index) =>
          typeof each === 'string' ? [{ name: each, path: [...path, 'depends_on', index] }] : [],
        ),
        checks: checksOf(settings, path),
        settings,
      },
    ];
  });
  return { root, hosts: new Map(hosts), services };
}
