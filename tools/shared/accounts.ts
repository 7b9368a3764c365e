import type { Host } from '../../src/hosts/host.ts';

/** What a host calls its users and groups. */
export interface Accounts {
  /** `www-data`, or `uid 33` where its name is not known. */
  user(id: number): string;
  /** `www-data`, or `gid 33` where its name is not known. */
  group(id: number): string;
}

/** Names from the host's own files. Those of a directory service, and people on macOS, stay numbers. */
export async function readAccounts(host: Host): Promise<Accounts> {
  const [users, groups] = await Promise.all([named(host, '/etc/passwd'), named(host, '/etc/group')]);
  return {
    user: (id) => users.get(id) ?? `uid ${id}`,
    group: (id) => groups.get(id) ?? `gid ${id}`,
  };
}

/** `name:x:33:…` lines. */
async function named(host: Host, path: string): Promise<Map<number, string>> {
  const read = await host.readFile(path, { maxBytes: 256 * 1024 });
  const names = new Map<number, string>();
  for (const line of read.ok ? read.value.text.split('\n') : []) {
    const [name, , id] = line.split(':');
    if (name !== undefined && id !== undefined && /^\d+$/.test(id) && !names.has(Number(id)))
      names.set(Number(id), name);
  }
  return names;
}
