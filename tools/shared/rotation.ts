import { basename, dirname, join } from 'node:path/posix';
import { failure, type Outcome, success } from '../../src/base/outcome.ts';
import type { Service } from '../../src/config/schema.ts';
import { type Argv, type Host, succeeded } from '../../src/hosts/host.ts';
import type { ToolContext } from '../tool.ts';
import { parseDf } from './disk.ts';
import { plain } from './places.ts';
import type { Log } from './rotatable.ts';
import { whatCameBack } from './say.ts';

const COMPRESS_MS = 300_000;
const REOPEN_MS = 5000;
const POLL_MS = 100;

interface Rotated {
  /** Where the old content is now. */
  kept: string;
  freedBytes: number;
}

/**
 * Compresses a log to `LOG.1.gz`, moves older ones up and drops those beyond `rotate.keep`. A writer that can be told to
 * open its log anew (`reload_signal`) is told so; for any other the file is emptied in place, so that it keeps its
 * descriptor, at the price of lines written in that moment. `gzip` follows no link and refuses a file with a second name.
 */
export async function rotate(service: Service, log: Log, context: ToolContext): Promise<Outcome<Rotated>> {
  const host = context.host(service.host);
  if (service.reload_signal !== undefined) {
    const moved = await moveAway(service, log, host, context);
    if (!moved.ok) return moved;
    if (moved.value !== null) return finish(service, log, moved.value, host, context);
  }
  const packed = await pack(log.path, host, context, ['-k']);
  if (!packed.ok) return packed;
  if (packed.value.emptied) return place(service, log, packed.value.path, host);
  const same = await plain(host, log.path, 'file');
  if (!same.ok || same.value.inode !== log.inode) {
    await host.remove(packed.value.path);
    return failure(`${log.path} was replaced while it was being compressed; nothing was changed`);
  }
  const shifted = await shift(service, log.path, packed.value.path, host);
  if (!shifted.ok) return shifted;
  const emptied = await empty(log.path, host, context);
  if (!emptied.ok)
    return failure(`${log.path} was copied to ${shifted.value}, but could not be emptied: ${emptied.error}`);
  return success({ kept: shifted.value, freedBytes: await freed(log, shifted.value, host) });
}

/** Renames the log and has its writer open a new one; null (and all as before) when the writer does not. */
async function moveAway(service: Service, log: Log, host: Host, context: ToolContext): Promise<Outcome<string | null>> {
  const aside = `${log.path}.rotating`;
  const taken = await host.fileFacts(aside);
  if (!taken.ok) return taken;
  if (taken.value !== null)
    return failure(`${aside} is in the way: an earlier rotation was cut off; look at it and remove it`);
  const renamed = await host.rename(log.path, aside);
  if (!renamed.ok) return renamed;
  const told = (await context.manager(service.name)?.reload()) ?? failure(`${service.name} has no manager`);
  if (told.ok) {
    for (let waited = 0; waited < REOPEN_MS; waited += POLL_MS) {
      const again = await plain(host, log.path, 'file');
      if (again.ok) return success(aside);
      await context.clock.sleep(POLL_MS, context.signal);
    }
  }
  const back = await host.rename(aside, log.path);
  return back.ok
    ? success(null)
    : failure(`${log.path} was moved to ${aside} and could not be moved back: ${back.error}`);
}

async function finish(
  service: Service,
  log: Log,
  aside: string,
  host: Host,
  context: ToolContext,
): Promise<Outcome<Rotated>> {
  const packed = await pack(aside, host, context, []);
  // Uncompressed it is kept all the same.
  return place(service, log, packed.ok ? packed.value.path : aside, host);
}

async function place(service: Service, log: Log, fresh: string, host: Host): Promise<Outcome<Rotated>> {
  const shifted = await shift(service, log.path, fresh, host);
  if (!shifted.ok) return shifted;
  return success({ kept: shifted.value, freedBytes: await freed(log, shifted.value, host) });
}

/** The compressed file, and whether the log had to be emptied already to make room for it. */
interface Packed {
  path: string;
  emptied: boolean;
}

/** Compresses beside the file, or where there is room when its own disk is full. */
async function pack(path: string, host: Host, context: ToolContext, options: string[]): Promise<Outcome<Packed>> {
  const packed = `${path}.gz`;
  const taken = await host.fileFacts(packed);
  if (!taken.ok) return taken;
  if (taken.value !== null)
    return failure(`${packed} is in the way: an earlier rotation was cut off; look at it and remove it`);
  const result = await host.run({
    argv: ['gzip', '-1', ...options, '--', path],
    timeoutMs: COMPRESS_MS,
    signal: context.signal,
  });
  if (succeeded(result)) return success({ path: packed, emptied: false });
  // A half-written one would be in the way next time.
  await host.remove(packed);
  if (!/no space left/i.test(result.stderr) || options.length === 0)
    return failure(`${path} could not be compressed. ${whatCameBack(result, host)}`);
  return packElsewhere(path, host, context);
}

/** Not even its compressed form fits on its disk: it is packed on another, and the log emptied before it comes back. */
async function packElsewhere(path: string, host: Host, context: ToolContext): Promise<Outcome<Packed>> {
  const facts = await plain(host, path, 'file');
  if (!facts.ok) return facts;
  const run = (argv: Argv) => host.run({ argv, timeoutMs: COMPRESS_MS, signal: context.signal });
  const own = parseDf((await run(['df', '-Pk', path])).stdout)[0];
  for (const room of host.kind === 'local' ? [context.config.stateFolder, '/var/tmp', '/tmp'] : ['/var/tmp', '/tmp']) {
    const system = parseDf((await run(['df', '-Pk', room])).stdout)[0];
    if (!system || system.mount === own?.mount || system.freeBytes < facts.value.sizeBytes * 1.2) continue;
    const made = await run(['mktemp', '-d', join(room, 'nightshift-XXXXXXXX')]);
    const folder = made.stdout.trim();
    if (!succeeded(made) || !folder.startsWith(room)) continue;
    const copy = join(folder, basename(path));
    const copied = await run(['cp', '-P', '--', path, copy]);
    const packed = succeeded(copied) ? await run(['gzip', '-1', '--', copy]) : copied;
    if (succeeded(packed)) {
      const emptied = await empty(path, host, context);
      if (!emptied.ok) return emptied;
      const back = await run(['mv', '--', `${copy}.gz`, `${path}.gz`]);
      await host.remove(folder);
      return succeeded(back)
        ? success({ path: `${path}.gz`, emptied: true })
        : failure(
            `${path} was emptied; its content is ${copy}.gz and could not be moved back. ${whatCameBack(back, host)}`,
          );
    }
    await host.remove(copy);
    await host.remove(`${copy}.gz`);
    await host.remove(folder);
  }
  return failure(
    `${path}: its disk is full, and there is no other with ${facts.value.sizeBytes} bytes free to keep its content on. clear_directory may make room first`,
  );
}

/** Moves LOG.1, LOG.2 ... up by one, drops what is beyond `keep`, and puts the new one first. */
async function shift(service: Service, log: string, fresh: string, host: Host): Promise<Outcome<string>> {
  const keep = service.rotate?.keep ?? 3;
  const listed = await host.list(dirname(log));
  if (!listed.ok) return listed;
  const older = listed.value.flatMap((entry) => {
    const name = basename(entry.path);
    const match = name.startsWith(`${basename(log)}.`)
      ? /^(\d{1,4})(\.gz)?$/.exec(name.slice(basename(log).length + 1))
      : null;
    return match ? [{ path: entry.path, number: Number(match[1]), ending: match[2] ?? '' }] : [];
  });
  for (const { path, number, ending } of older.toSorted((a, b) => b.number - a.number)) {
    const moved = number >= keep ? await host.remove(path) : await host.rename(path, `${log}.${number + 1}${ending}`);
    if (!moved.ok) return moved;
  }
  const first = `${log}.1${fresh.endsWith('.gz') ? '.gz' : ''}`;
  const placed = await host.rename(fresh, first);
  return placed.ok ? success(first) : placed;
}

/** Empties a file in place. GNU dd can refuse a link at the moment of opening; elsewhere it is looked at just before. */
async function empty(path: string, host: Host, context: ToolContext): Promise<Outcome<void>> {
  const facts = await plain(host, path, 'file');
  if (!facts.ok) return facts;
  const linux = (await host.platform()) === 'linux';
  const argv: Argv = linux
    ? ['dd', 'if=/dev/null', `of=${path}`, 'oflag=nofollow', 'conv=nocreat', 'status=none']
    : ['cp', '/dev/null', path];
  const result = await host.run({ argv, timeoutMs: 10_000, signal: context.signal });
  return succeeded(result) ? success(undefined) : failure(whatCameBack(result, host));
}

async function freed(log: Log, kept: string, host: Host): Promise<number> {
  const facts = await host.fileFacts(kept);
  return Math.max(0, log.sizeBytes - (facts.ok && facts.value ? facts.value.sizeBytes : 0));
}
