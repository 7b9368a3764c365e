import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { LoadedConfig } from './load.ts';
import { type ConfigOptions, expandHome } from './paths.ts';
import { readConfigText } from './read.ts';
import type { Config } from './schema.ts';

/**
 * Checking a configuration costs the import of zod and yaml, which is three times the start of node. The same bytes give
 * the same result, so the last good result of a file is kept: what it was read from (the whole text, for a hash would cost
 * the import of node:crypto, a third of node's own start), and the configuration, as V8 writes them.
 */
const OTHERS_MAY_WRITE = 0o022;

function cacheFolder({ environment, home, platform }: ConfigOptions): string {
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'nightshift');
  const xdg = environment.XDG_CACHE_HOME;
  return join(xdg && isAbsolute(xdg) ? xdg : join(home, '.cache'), 'nightshift');
}

/** A file name for a path: no two paths have the same, and the longest of it fits into a name. */
const fileNameFor = (path: string): string => `config-${encodeURIComponent(path).slice(-200)}-${path.length}`;

/** Changes when the code that reads a configuration does. */
function codeVersion(): string {
  const here = import.meta.dirname;
  const facts = ['.', 'rules'].flatMap((folder) =>
    readdirSync(join(here, folder)).map((name) => {
      const { mtimeMs, size } = statSync(join(here, folder, name));
      return `${name} ${size} ${mtimeMs}`;
    }),
  );
  return [process.version, ...facts].join('\n');
}

const isKept = (value: unknown): value is { key: string; config: Config } =>
  typeof value === 'object' && value !== null && 'key' in value && 'config' in value && isConfig(value.config);

const isConfig = (value: unknown): value is Config =>
  typeof value === 'object' &&
  value !== null &&
  'services' in value &&
  value.services instanceof Map &&
  'stateFolder' in value;

/** What was kept under a key, if it is ours and nobody else could have written it; null otherwise. */
function kept(place: string, key: string): Config | null {
  let file: number | null = null;
  try {
    file = openSync(place, 'r');
    const facts = fstatSync(file);
    if (!facts.isFile() || facts.mode & OTHERS_MAY_WRITE || facts.uid !== (process.getuid?.() ?? facts.uid))
      return null;
    const value: unknown = deserialize(readFileSync(file));
    return isKept(value) && value.key === key ? value.config : null;
  } catch {
    // Nothing kept, or not readable any more: it is read anew.
    return null;
  } finally {
    if (file !== null) closeSync(file);
  }
}

function keep(place: string, key: string, config: Config): void {
  const draft = `${place}.${process.pid}.${Date.now()}`;
  try {
    mkdirSync(dirname(place), { recursive: true, mode: 0o700 });
    writeFileSync(draft, serialize({ key, config }), { mode: 0o600, flag: 'wx' });
    renameSync(draft, place);
  } catch {
    // A home that cannot be written to: the next start is slower, and nothing else.
    return;
  }
}

/** As `loadConfig`, and fast when the file is the same as last time. Problems and warnings are always found anew. */
export async function loadConfigQuickly(file: string, options: ConfigOptions): Promise<LoadedConfig> {
  const path = resolve(expandHome(file, options.home));
  const read = readConfigText(path);
  const { environment, home, platform } = options;
  const place = join(cacheFolder(options), fileNameFor(path));
  const key = read.ok
    ? JSON.stringify([codeVersion(), path, home, platform, environment.XDG_STATE_HOME ?? '', read.value])
    : null;
  const before = key === null ? null : kept(place, key);
  if (before) return { ok: true, config: before, warnings: [] };
  const { loadConfig } = await import('./load.ts');
  const loaded = loadConfig(file, options);
  // A warning may be of a secret in the file, which is not to be written anywhere else.
  if (loaded.ok && loaded.warnings.length === 0 && key !== null) keep(place, key, loaded.config);
  return loaded;
}
