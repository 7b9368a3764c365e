import { dirname } from 'node:path/posix';
import type { Service } from '../config/schema.ts';
import { type Host, succeeded } from '../hosts/host.ts';

/** Where a process runs, or null when that cannot be seen. */
export async function directoryOf(host: Host, pid: number): Promise<string | null> {
  if ((await host.platform()) === 'linux') {
    const link = await host.fileFacts(`/proc/${pid}/cwd`);
    return link.ok ? (link.value?.target?.replace(/ \(deleted\)$/, '') ?? null) : null;
  }
  const result = await host.run({ argv: ['lsof', '-a', '-p', String(pid), '-d', 'cwd', '-Fn'] });
  return /^n(.+)$/m.exec(result.stdout)?.[1] ?? null;
}

/**
 * Says of a directory whether a process of the service may run in it: its own, what that leads to, or, when it is a link
 * into a folder of releases, any release beside it: a process goes on in the old one after the link was moved.
 */
export async function homesOf(service: Service, host: Host): Promise<(directory: string) => boolean> {
  const { directory, releases } = service;
  if (directory === undefined) return () => true;
  const asked = await host.run({ argv: ['pwd', '-P'], directory });
  const real = succeeded(asked) ? asked.stdout.replace(/\n$/, '') : directory;
  const folders = releases ? [releases.directory] : [];
  const link = await host.fileFacts(directory);
  if (link.ok && link.value?.kind === 'link') folders.push(dirname(real));
  return (place) =>
    place === directory || place === real || folders.some((folder) => folder !== '/' && place.startsWith(`${folder}/`));
}
