import type { Host } from '../../src/hosts/host.ts';
import { type DeletedFile, parseDeletedLinks, parseLsofDeleted } from './disk.ts';
import { whatCameBack } from './say.ts';

const MOST = 200;
const SHOWN = 8;
/** Smaller ones explain no full disk. */
const WORTH_BYTES = 1024 * 1024;

/**
 * Files of 1 MB and more that were deleted while a process has them open, largest first. From /proc on Linux (`find` and
 * `stat`, always there), from `lsof` elsewhere. Processes of others are seen only as root.
 */
export async function deletedButOpen(host: Host, signal: AbortSignal): Promise<{ files: DeletedFile[]; note: string }> {
  if ((await host.platform()) !== 'linux') {
    const result = await host.run({
      argv: ['lsof', '-nP', '+L1', '-F', 'pcsn'],
      timeoutMs: 10_000,
      maxBytes: 4 * 1024 * 1024,
      signal,
    });
    if (result.failure !== undefined)
      return { files: [], note: `deleted files that are still open are not known: ${whatCameBack(result, host)}` };
    return { files: largest(parseLsofDeleted(result.stdout)), note: '' };
  }
  const argv = [
    'find',
    '/proc',
    '-maxdepth',
    '3',
    '-path',
    '/proc/[0-9]*/fd/*',
    '-lname',
    '* (deleted)',
    '-printf',
    '%p\\t%l\\n',
  ] as const;
  const found = await host.run({ argv, timeoutMs: 10_000, signal });
  // It exits 1 for every process that ended meanwhile or belongs to somebody else.
  if (found.failure !== undefined)
    return { files: [], note: `deleted files that are still open are not known: ${whatCameBack(found, host)}` };
  const links = parseDeletedLinks(found.stdout).slice(0, MOST);
  if (links.length === 0) return { files: [], note: '' };
  const sizes = await host.run({
    argv: ['stat', '-L', '-c', '%s %n', ...links.map((link) => link.descriptor)],
    timeoutMs: 10_000,
    signal,
  });
  const byDescriptor = new Map(
    sizes.stdout.split('\n').flatMap((line) => {
      const match = /^(\d+) (\/proc\/.*)$/.exec(line);
      return match ? [[match[2] ?? '', Number(match[1])] as const] : [];
    }),
  );
  return {
    files: largest(
      links.map(({ pid, path, descriptor }) => ({
        pid,
        path,
        program: null,
        sizeBytes: byDescriptor.get(descriptor) ?? 0,
      })),
    ),
    note: '',
  };
}

function largest(files: readonly DeletedFile[]): DeletedFile[] {
  const seen = new Set<string>();
  return files
    .filter(({ pid, path, sizeBytes }) => {
      const key = `${pid} ${path}`;
      return sizeBytes >= WORTH_BYTES && !seen.has(key) && seen.add(key);
    })
    .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
    .slice(0, SHOWN);
}
