import { basename, dirname, isAbsolute, relative, resolve } from 'node:path/posix';
import { failure, type Outcome, success } from '../../src/base/outcome.ts';
import type { Config, Service } from '../../src/config/schema.ts';
import type { FileFacts, Host } from '../../src/hosts/host.ts';

/** Where a link among the parents of a path leads, so that two paths can be compared; the last part is kept as it is. `makers` gets who made those links. */
export async function realParent(host: Host, path: string, makers: number[] = []): Promise<Outcome<string>> {
  let parent = '/';
  const rest = dirname(path).split('/').filter(Boolean);
  for (let steps = 0; rest.length > 0; steps += 1) {
    if (steps > 200) return failure(`${path} leads through too many links`);
    const part = rest.shift() ?? '';
    if (part === '..') {
      parent = dirname(parent);
      continue;
    }
    const here = resolve(parent, part);
    const facts = await host.fileFacts(here);
    if (!facts.ok) return facts;
    if (facts.value === null) return failure(`${here} does not exist`);
    if (facts.value.target === undefined) {
      parent = here;
    } else {
      makers.push(facts.value.owner);
      if (isAbsolute(facts.value.target)) parent = '/';
      rest.unshift(...facts.value.target.split('/').filter((each) => each !== '' && each !== '.'));
    }
  }
  return success(resolve(parent, basename(path)));
}

/**
 * Facts of something that must itself be a plain file or directory, and no link to one elsewhere. Links on the way there
 * must have been made by root, by us or by its owner: any other user could have led us to what is not theirs.
 */
export async function plain(host: Host, path: string, kind: 'file' | 'directory'): Promise<Outcome<FileFacts>> {
  const facts = await host.fileFacts(path);
  if (!facts.ok) return facts;
  if (facts.value === null) return failure(`${path} does not exist on ${host.name}`);
  if (facts.value.kind === 'link')
    return failure(`${path} is a link to ${facts.value.target ?? 'somewhere else'}; links are not followed here`);
  if (facts.value.kind !== kind) return failure(`${path} is not a ${kind} but a ${facts.value.kind}`);
  const makers: number[] = [];
  const real = await realParent(host, path, makers);
  if (!real.ok) return real;
  const trusted = [0, facts.value.owner, host.kind === 'local' ? process.getuid?.() : undefined];
  const stranger = makers.find((maker) => !trusted.includes(maker));
  if (stranger !== undefined)
    return failure(`${path} leads to ${real.value} by a link of another user (${stranger}), who does not own that`);
  return success(facts.value);
}

/** True when `path` is `folder` or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  const step = relative(folder, path);
  return step === '' || (!step.startsWith('..') && !isAbsolute(step));
}

/** Everything the inventory names on a host that must not be deleted along with a directory, with what it is. */
export function preciousOn(config: Config, host: string): { path: string; what: string }[] {
  const precious: { path: string; what: string }[] = [];
  const add = (path: string | undefined, what: string) => {
    if (path?.startsWith('/')) precious.push({ path, what });
  };
  if (host === 'local') {
    add(config.stateFolder, "Nightshift's own state");
    add(config.file ?? undefined, "Nightshift's configuration");
  }
  for (const service of config.services.values()) {
    if (service.host !== host) continue;
    for (const file of service.files ?? []) add(file, `a watched file of ${service.name}`);
    for (const log of service.logs) add(log, `the log of ${service.name}`);
    for (const word of service.start ?? []) add(word, `what starts ${service.name}`);
    for (const { settings } of service.checks)
      if ('heartbeat' in settings) add(settings.heartbeat, `the heartbeat of ${service.name}`);
    add(service.directory, `the directory of ${service.name}`);
    add(service.releases?.directory, `the releases of ${service.name}`);
    add(service.releases?.current, `the release link of ${service.name}`);
    add(service.pid_file, `the pid file of ${service.name}`);
    add(service.compose_file, `the compose file of ${service.name}`);
  }
  return precious;
}

/** Paths of the inventory on one host: where looking for what fills a disk makes sense. */
export function placesOf(services: readonly Service[]): string[] {
  const places = services.flatMap((service) => [
    service.directory,
    service.releases?.directory,
    ...service.logs.map((log) => dirname(log)),
    ...(service.clear ?? []),
    ...service.checks.map(({ settings }) => ('disk' in settings ? settings.disk : undefined)),
  ]);
  return [...new Set(places.filter((place): place is string => place?.startsWith('/') === true))];
}
