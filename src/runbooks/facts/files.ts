import { createHash } from 'node:crypto';
import { basename } from 'node:path/posix';
import type { Config, Service } from '../../config/schema.ts';
import type { Host } from '../../hosts/host.ts';
import { runConfigTest } from '../../services/config-test.ts';
import type { FactSource } from './collect.ts';

/** `rotate.above` where none is given. */
const USUAL_LIMIT_BYTES = 100 * 1024 ** 2;
/** A release that was activated this long before the trouble may well be its cause. */
const RECENT_MS = 3_600_000;

/** How large the service's logs are, and which log on its host may be rotated. */
export const logSizeFacts: FactSource = async ({ service, host, tools, results }, collect) => {
  const largest = await largestOf(service, host);
  const failing = (await results).some(
    (result) => result.kind === 'file_size' && result.verdict !== 'ok' && result.verdict !== 'unknown',
  );
  collect.set({ log_rotatable: service.rotate !== undefined, clearable: (service.clear ?? []).length > 0 });
  if (largest) {
    const over = largest.sizeBytes > (service.rotate?.above ?? USUAL_LIMIT_BYTES);
    collect.set({ log_size: largest.sizeBytes, log_path: largest.path, log_over_limit: over || failing });
    if (over)
      collect.quote(`file:${largest.path}`, `size(${service.name})`, `${largest.path}: ${largest.sizeBytes} bytes`, [
        'log_size',
        'log_over_limit',
        'log_path',
      ]);
  }
  const top = await largestRotatable(service, host, tools.config);
  if (!top) return;
  collect.set({ largest_log: top.log.path, largest_log_size: top.log.sizeBytes, largest_log_service: top.service });
  collect.quote(`file:${top.log.path}`, `size(${top.service})`, `${top.log.path}: ${top.log.sizeBytes} bytes`, [
    'largest_log',
    'largest_log_size',
    'largest_log_service',
  ]);
};

/** The largest log on the service's host that may be rotated, whosever it is. */
export async function largestRotatable(
  service: Service,
  host: Host,
  config: Pick<Config, 'services'>,
): Promise<{ service: string; log: { path: string; sizeBytes: number } } | null> {
  const neighbours = [...config.services.values()].filter((each) => each.host === service.host && each.rotate);
  const sizes = await Promise.all(
    neighbours.slice(0, 50).map(async (each) => ({ service: each.name, log: await largestOf(each, host) })),
  );
  const found = sizes.flatMap((each) => (each.log ? [{ service: each.service, log: each.log }] : []));
  return found.sort((a, b) => b.log.sizeBytes - a.log.sizeBytes)[0] ?? null;
}

async function largestOf(service: Service, host: Host): Promise<{ path: string; sizeBytes: number } | null> {
  const found = await Promise.all(service.logs.map((path) => host.fileFacts(path)));
  const files = found.flatMap((each) => (each.ok && each.value ? [each.value] : []));
  return files.sort((a, b) => b.sizeBytes - a.sizeBytes)[0] ?? null;
}

/** Whether watched files differ from their last good copies, and what the service's own test says of them. */
export const configFacts: FactSource = async (context, collect) => {
  await Promise.all([changedFiles(context, collect), configTest(context, collect)]);
};

const changedFiles: FactSource = async ({ service, host, tools }, collect) => {
  const changed: { path: string; at: number }[] = [];
  let compared = 0;
  for (const path of service.files ?? []) {
    const good = tools.goodCopies.list(service.name, path)[0];
    if (!good) continue;
    const facts = await host.fileFacts(path);
    if (!facts.ok) continue;
    compared++;
    if (facts.value === null) {
      changed.push({ path, at: tools.clock.now() });
      continue;
    }
    const bytes = await host.readBytes(path);
    if (!bytes.ok) compared--;
    else if (createHash('sha256').update(bytes.value).digest('hex') !== good.sha256)
      changed.push({ path, at: facts.value.modifiedAt });
  }
  const last = changed.sort((a, b) => b.at - a.at)[0];
  if (!last && compared === 0) return;
  collect.set({ config_changed: last !== undefined, changed_file: last?.path });
  if (last) {
    collect.quote(
      `file:${last.path}`,
      `changes(${service.name})`,
      `${last.path} differs from its last good copy, changed ${new Date(last.at).toISOString()}`,
      ['config_changed', 'changed_file'],
    );
  }
};

const configTest: FactSource = async ({ service, host, tools }, collect) => {
  const tested = await runConfigTest(service, host, tools.signal);
  if (tested === null || tested.valid === null) return;
  const { result, valid } = tested;
  collect.set({ config_valid: valid });
  const said = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-3).join(' ');
  collect.quote(
    `command:${result.argv.join(' ')}`,
    `config_test(${service.name})`,
    `exit code ${result.exitCode}: ${said}`,
    ['config_valid'],
  );
};

/** Which release is in use, since when, and what stood there before. */
export const releaseFacts: FactSource = async ({ service, host, incident }, collect) => {
  if (!service.releases) return;
  const { directory, current } = service.releases;
  const [link, entries] = await Promise.all([host.fileFacts(current), host.list(directory)]);
  if (!link.ok || link.value?.kind !== 'link' || link.value.target === undefined) return;
  const name = basename(link.value.target);
  const changed = link.value.modifiedAt > incident.since - RECENT_MS;
  collect.set({ current_release: name, release_changed: changed });
  collect.quote(
    `file:${current}`,
    `releases(${service.name})`,
    `${current} points at ${link.value.target} since ${new Date(link.value.modifiedAt).toISOString()}`,
    ['release_changed', 'current_release', 'previous_release', 'previous_release_available'],
  );
  if (!entries.ok) return;
  const folders = entries.value
    .filter((entry) => entry.kind === 'directory' && !basename(entry.path).startsWith('.') && entry.path !== current)
    .map((entry) => ({ name: basename(entry.path), modifiedAt: entry.modifiedAt }));
  const sorted = newestFirst(folders);
  const own = sorted.findIndex((folder) => folder.name === name);
  const before = own < 0 ? undefined : sorted[own + 1];
  collect.set({ previous_release_available: before !== undefined, previous_release: before?.name });
};

/** In the order `activate_release` goes by: by name when all names are of one shape with numbers in it, else by time. */
function newestFirst(folders: readonly { name: string; modifiedAt: number }[]): { name: string; modifiedAt: number }[] {
  const shapes = new Set(folders.map(({ name }) => name.replace(/\d+/g, '#')));
  const numbered = shapes.size === 1 && [...shapes].every((shape) => shape.includes('#'));
  const natural = new Intl.Collator('en', { numeric: true });
  return folders.toSorted((a, b) => (numbered ? 0 : b.modifiedAt - a.modifiedAt) || natural.compare(b.name, a.name));
}
