import { basename, dirname, isAbsolute, relative, resolve } from 'node:path/posix';
import { failure, type Outcome, success } from '../../src/base/outcome.ts';
import type { Service } from '../../src/config/schema.ts';
import type { Host } from '../../src/hosts/host.ts';
import { isWithin, realParent } from './places.ts';

export interface Release {
  name: string;
  path: string;
  modifiedAt: number;
}

interface Releases {
  /** Newest first. */
  all: Release[];
  /** What the link points at, or null when that is none of them. */
  current: Release | null;
  /** The newest one that is older than the current. */
  previous: Release | null;
  target: string;
  /** When the link was last changed. */
  linkedAt: number;
}

/** The releases of a service and the one in use. Links among them, files and hidden folders do not count. */
export async function readReleases(service: Service, host: Host): Promise<Outcome<Releases>> {
  if (service.releases === undefined) return failure(`${service.name} has no \`releases:\` in the configuration`);
  const { directory, current: link } = service.releases;
  const [listed, facts, realDirectory] = await Promise.all([
    host.list(directory),
    host.fileFacts(link),
    realParent(host, `${directory}/x`),
  ]);
  if (!listed.ok) return listed;
  if (!facts.ok) return facts;
  if (!realDirectory.ok) return realDirectory;
  if (facts.value === null) return failure(`${link} does not exist on ${host.name}`);
  if (facts.value.kind !== 'link' || facts.value.target === undefined)
    return failure(`${link} is not a link but a ${facts.value.kind}`);
  const target = resolve(dirname(link), facts.value.target);
  const real = await realParent(host, target);
  const folder = dirname(realDirectory.value);
  const all = listed.value
    .filter((entry) => entry.kind === 'directory' && !basename(entry.path).startsWith('.') && entry.path !== link)
    .map((entry) => ({ name: basename(entry.path), path: entry.path, modifiedAt: entry.modifiedAt }));
  const sorted = newestFirst(all);
  const inUse = real.ok && isWithin(real.value, folder) ? relative(folder, real.value).split('/')[0] : undefined;
  const index = sorted.findIndex(({ name }) => name === inUse);
  return success({
    all: sorted,
    current: sorted[index] ?? null,
    previous: index < 0 ? null : (sorted[index + 1] ?? null),
    target,
    linkedAt: facts.value.modifiedAt,
  });
}

/** By name when all names have one shape with numbers in it (`v1.2.3`, `20261121-0930`), for what is in a release changes its time; else by time. */
export function newestFirst(releases: readonly Release[]): Release[] {
  const shapes = new Set(releases.map(({ name }) => name.replace(/\d+/g, '#')));
  const byName = shapes.size === 1 && [...shapes][0]?.includes('#') === true;
  const natural = new Intl.Collator('en', { numeric: true });
  return releases.toSorted((a, b) =>
    byName ? natural.compare(b.name, a.name) : b.modifiedAt - a.modifiedAt || natural.compare(b.name, a.name),
  );
}

/** How the link should name a release: as it did before, from its own folder or from the root. */
export async function linkTarget(host: Host, link: string, release: Release): Promise<string> {
  const facts = await host.fileFacts(link);
  const before = facts.ok ? facts.value?.target : undefined;
  return before === undefined || isAbsolute(before) ? release.path : relative(dirname(link), release.path);
}
