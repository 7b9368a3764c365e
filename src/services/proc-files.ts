import { failure, type Outcome, success } from '../base/outcome.ts';
import type { Host } from '../hosts/host.ts';
import type { Listener } from './listeners.ts';
import type { ProcessRow } from './process-table.ts';

/** Clock ticks a second, as every Linux on hardware we know counts them for user space (USER_HZ). */
const TICKS = 100;
const LISTENING = '0A';
const AT_ONCE = 32;

async function pidsOf(host: Host): Promise<number[]> {
  const entries = await host.list('/proc');
  if (!entries.ok) return [];
  return entries.value.map((entry) => Number(entry.path.slice('/proc/'.length))).filter(Number.isSafeInteger);
}

async function inGroups<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let index = 0; index < items.length; index += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(index, index + AT_ONCE).map(work))));
  }
  return results;
}

/** The process table straight from `/proc`, for a Linux without `ps` (slim containers have none). */
export async function processesFromProc(host: Host): Promise<Outcome<ProcessRow[]>> {
  const uptime = await host.readFile('/proc/uptime');
  if (!uptime.ok) return uptime;
  const upMs = Number.parseFloat(uptime.value.text) * 1000;
  const rows = await inGroups(await pidsOf(host), async (pid) => {
    const stat = await host.readFile(`/proc/${pid}/stat`);
    const words = await host.readFile(`/proc/${pid}/cmdline`);
    return stat.ok ? rowOf(pid, stat.value.text, words.ok ? words.value.text : '', upMs) : null;
  });
  return success(rows.filter((row) => row !== null));
}

function rowOf(pid: number, stat: string, words: string, upMs: number): ProcessRow {
  const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const command = words.replace(/\0+$/, '').replaceAll('\0', ' ');
  return {
    pid,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    state: fields[0] ?? '?',
    ageMs: Math.max(0, Math.floor((upMs - (Number(fields[19]) / TICKS) * 1000) / 1000) * 1000),
    command: command === '' ? `[${name}]` : command,
  };
}

/** TCP listeners straight from `/proc`, for a Linux without `ss` and `lsof`. */
export async function listenersFromProc(host: Host): Promise<Outcome<Listener[]>> {
  const sockets = new Map<string, { address: string; port: number }>();
  let readable = false;
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const read = await host.readFile(table, { maxBytes: 4 * 1024 * 1024 });
    readable ||= read.ok;
    for (const [inode, endpoint] of read.ok ? listeningSockets(read.value.text) : []) sockets.set(inode, endpoint);
  }
  if (!readable) return failure(`could not read /proc/net/tcp of ${host.name}`);
  const owners = new Map<string, number[]>();
  await inGroups(await pidsOf(host), async (pid) => {
    const descriptors = await host.list(`/proc/${pid}/fd`);
    for (const { target } of descriptors.ok ? descriptors.value : []) {
      const inode = /^socket:\[(\d+)\]$/.exec(target ?? '')?.[1];
      if (inode !== undefined && sockets.has(inode)) owners.set(inode, [...(owners.get(inode) ?? []), pid]);
    }
  });
  return success(
    [...sockets].flatMap(([inode, endpoint]): Listener[] => {
      const pids = owners.get(inode) ?? [];
      return pids.length === 0
        ? [{ ...endpoint, pid: null, program: null }]
        : pids.map((pid) => ({ ...endpoint, pid, program: null }));
    }),
  );
}

/** Listening sockets by inode. Addresses are little-endian words in hexadecimal; of IPv6 only "any" and loopback are told apart. */
export function listeningSockets(table: string): Map<string, { address: string; port: number }> {
  const found = new Map<string, { address: string; port: number }>();
  for (const line of table.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/);
    const [host = '', port = ''] = (columns[1] ?? '').split(':');
    const inode = columns[9];
    if (columns[3] === LISTENING && inode !== undefined) {
      found.set(inode, { address: addressOf(host), port: Number.parseInt(port, 16) });
    }
  }
  return found;
}

function addressOf(hex: string): string {
  if (hex.length === 8)
    return (hex.match(/../g) ?? [])
      .map((byte) => Number.parseInt(byte, 16))
      .reverse()
      .join('.');
  if (/^0+$/.test(hex)) return '::';
  return hex === '00000000000000000000000001000000' ? '::1' : hex.toLowerCase();
}
