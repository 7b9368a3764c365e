import type { DiscoveredDisk, Discovery } from '../../config/discovery.ts';
import { type Host, succeeded } from '../../hosts/host.ts';
import { type Found, nothing } from './found.ts';

const REAL = /^(ext[234]|xfs|btrfs|zfs|f2fs|jfs|reiserfs|bcachefs|ntfs3?|exfat|apfs|hfs|ufs|overlay|fuseblk)$/;
const NOT_DATA =
  /^\/(boot|efi|snap|dev|proc|sys|run|System\/Volumes|private\/var\/vm|var\/lib\/(docker|containers|kubelet)|Volumes\/(Recovery|Preboot))(\/|$)/;

interface Row {
  device: string;
  type: string | null;
  kilobytes: number;
  percent: number;
  path: string;
}

/** `df -PT` (with a type) or `df -Pkl` (without). A path may hold blanks: it runs to the end of the line. */
function parseDf(text: string, typed: boolean): Row[] {
  const pattern = typed
    ? /^(\S.*?)\s+(\S+)\s+(\d+)\s+\d+\s+-?\d+\s+(\d+)%\s+(\/.*)$/
    : /^(\S.*?)()\s+(\d+)\s+\d+\s+-?\d+\s+(\d+)%\s+(\/.*)$/;
  return text.split('\n').flatMap((line) => {
    const match = pattern.exec(line);
    if (!match) return [];
    const [, device = '', type = '', kilobytes, percent, path = ''] = match;
    return [{ device, type: type || null, kilobytes: Number(kilobytes), percent: Number(percent), path }];
  });
}

function realDisks(rows: Row[]): DiscoveredDisk[] {
  const byDevice = new Map<string, Row>();
  for (const row of rows) {
    const real = row.type === null ? row.device.startsWith('/dev/') : REAL.test(row.type);
    const root = row.path === '/';
    if (row.kilobytes === 0 || (!root && (!real || row.type === 'overlay' || NOT_DATA.test(row.path)))) continue;
    // One device may be mounted many times; the shortest path stands for it.
    const before = byDevice.get(row.device);
    if (!before || row.path.length < before.path.length) byDevice.set(row.device, row);
  }
  return [...byDevice.values()]
    .sort((a, b) => a.path.localeCompare(b.path))
    .map(({ path, type, kilobytes, percent }) => ({ path, type, sizeBytes: kilobytes * 1024, usedPercent: percent }));
}

/** File systems that hold data of this machine; not the ones of memory, of the network, or of containers. */
export async function findDisks(host: Host, platform: string): Promise<Found<DiscoveredDisk>> {
  const typed = platform !== 'darwin';
  const df = await host.run({ argv: typed ? ['df', '-PTl'] : ['df', '-Pkl'], timeoutMs: 8000 });
  // A mount that may not be looked at makes it end with 1; the others are in the output all the same.
  const items = realDisks(parseDf(df.stdout, typed));
  return items.length > 0
    ? { items, notes: [] }
    : nothing(`disks cannot be seen: df ${df.failure ?? df.stderr.trim()}`);
}

/** How much memory the machine has. */
export async function findMemory(host: Host, platform: string): Promise<Discovery['memory']> {
  if (platform === 'darwin') {
    const sysctl = await host.run({ argv: ['sysctl', '-n', 'hw.memsize'], timeoutMs: 5000 });
    const totalBytes = Number(sysctl.stdout.trim());
    return succeeded(sysctl) && totalBytes > 0 ? { totalBytes, availableBytes: null } : null;
  }
  const file = await host.readFile('/proc/meminfo');
  const kilobytes = (name: string): number | null => {
    const value = file.ok ? new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(file.value.text)?.[1] : undefined;
    return value === undefined ? null : Number(value) * 1024;
  };
  const totalBytes = kilobytes('MemTotal');
  return totalBytes === null ? null : { totalBytes, availableBytes: kilobytes('MemAvailable') };
}
