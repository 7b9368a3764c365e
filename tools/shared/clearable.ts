import type { Service } from '../../src/config/schema.ts';
import type { Host } from '../../src/hosts/host.ts';
import type { ToolContext } from '../tool.ts';
import { isWithin, plain, preciousOn, realParent } from './places.ts';

/** A directory that may be emptied, and what is in it now. */
export interface Clearable {
  directory: string;
  entries: number;
  bytes: number;
}

/** What a data directory has inside: whoever put it on the list did not mean this. */
const DATA = new Set(['PG_VERSION', 'ibdata1', 'dump.rdb', 'appendonlydir', '.git', 'WiredTiger', 'chain', 'keystore']);
const SYSTEM =
  /^\/(bin|boot|dev|etc|home|lib\w*|media|mnt|opt|proc|root|run|sbin|srv|sys|usr|var|Users|System|Library|Applications|private|Volumes)(\/(lib|log|cache|bin|sbin|share|local|spool|www|run|db|[^/]+)?)?$/;

/** Looks whether a directory on the `clear:` list may be emptied now, and what is in it. Changes nothing. */
export async function clearable(
  service: Service,
  directory: string,
  context: ToolContext,
): Promise<Clearable | { refusal: string }> {
  if (service.clear?.includes(directory) !== true)
    return { refusal: `${directory} is not on the \`clear:\` list of ${service.name}` };
  const host = context.host(service.host);
  const facts = await plain(host, directory, 'directory');
  if (!facts.ok) return { refusal: facts.error };
  const real = await realParent(host, directory);
  if (!real.ok) return { refusal: real.error };
  const tooHigh =
    real.value.split('/').filter(Boolean).length < 2 ||
    (SYSTEM.test(real.value) &&
      !/^\/(home|Users|opt|srv|mnt|media|Volumes)\/[^/]+$/.test(real.value) &&
      !/^\/var\/cache\//.test(real.value));
  if (tooHigh) return { refusal: `${real.value} belongs to the system` };
  if (/^\/(home|Users)\/[^/]+$/.test(real.value)) return { refusal: `${real.value} is the home of a person` };
  for (const { path, what } of preciousOn(context.config, service.host)) {
    const at = await realParent(host, path);
    if (isWithin(at.ok ? at.value : path, real.value) || isWithin(path, directory))
      return { refusal: `${path} (${what}) lies in it` };
  }
  const listed = await host.list(directory);
  if (!listed.ok) return { refusal: listed.error };
  if (listed.value.length === 0) return { refusal: 'it is empty' };
  const data = listed.value.find((entry) => DATA.has(entry.path.slice(entry.path.lastIndexOf('/') + 1)));
  if (data) return { refusal: `${data.path} is in it: this looks like data, not like something to throw away` };
  return { directory, entries: listed.value.length, bytes: await sizeOf(directory, host, context.signal) };
}

/** Bytes on this file system below a directory; 0 when that cannot be told. */
export async function sizeOf(directory: string, host: Host, signal: AbortSignal): Promise<number> {
  const result = await host.run({ argv: ['du', '-xsk', directory], timeoutMs: 30_000, signal });
  return Number.parseInt(result.stdout, 10) * 1024 || 0;
}
