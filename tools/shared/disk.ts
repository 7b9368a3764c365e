/** One file system, as `df` shows it. */
export interface FileSystem {
  device: string;
  mount: string;
  sizeBytes: number;
  usedBytes: number;
  freeBytes: number;
  /** 0 to 100, of what ordinary users can use. */
  usedPercent: number;
  /** 0 to 100; null where inodes are not limited. */
  inodesPercent: number | null;
  inodesFree: number | null;
}

/** File systems that hold nothing a person could free. */
const NOT_STORAGE =
  /^(devtmpfs|udev|devfs|proc|sysfs|cgroup2?|none|overlay-none|efivarfs|squashfs|map .*|\/dev\/loop\d+)$/;
const NOT_A_PLACE =
  /^\/(dev|proc|sys|run\/(lock|user|credentials)|snap|System\/Volumes\/(VM|Preboot|Update|xarts|iSCPreboot|Hardware))(\/|$)/;

/** `df -Pk` (Linux and macOS): what can be filled up, the fullest first. */
export function parseDf(output: string): FileSystem[] {
  const rows = output.split('\n').flatMap((line) => {
    const match = /^(\S.*?)\s+(\d+)\s+(\d+)\s+(-?\d+)\s+(?:\d+%|-)\s+(\/.*)$/.exec(line);
    if (!match) return [];
    const [, device = '', size, used, free, mount = ''] = match;
    if (NOT_STORAGE.test(device) || (NOT_A_PLACE.test(mount) && mount !== '/dev/shm') || Number(size) === 0) return [];
    const usedBytes = Number(used) * 1024;
    const freeBytes = Math.max(0, Number(free)) * 1024;
    const usedPercent = usedBytes + freeBytes === 0 ? 0 : (usedBytes / (usedBytes + freeBytes)) * 100;
    return [
      {
        device,
        mount,
        sizeBytes: Number(size) * 1024,
        usedBytes,
        freeBytes,
        usedPercent,
        inodesPercent: null,
        inodesFree: null,
      },
    ];
  });
  return rows.sort((a, b) => b.usedPercent - a.usedPercent);
}

/** Inodes by mount point: from `df -Pi` (Linux) or `df -ki` (macOS, where they follow the blocks). */
export function parseInodes(
  output: string,
  platform: 'linux' | 'darwin' | 'unknown',
): Map<string, { percent: number; free: number }> {
  const pattern =
    platform === 'darwin'
      ? /^\S.*?\s+\d+\s+\d+\s+-?\d+\s+\d+%\s+(\d+)\s+(\d+)\s+(?:\d+%|-)\s+(\/.*)$/
      : /^\S.*?\s+\d+\s+(\d+)\s+(-?\d+)\s+(?:\d+%|-)\s+(\/.*)$/;
  const found = new Map<string, { percent: number; free: number }>();
  for (const line of output.split('\n')) {
    const match = pattern.exec(line);
    if (!match) continue;
    const used = Number(match[1]);
    const free = Math.max(0, Number(match[2]));
    if (used + free > 0) found.set(match[3] ?? '', { percent: (used / (used + free)) * 100, free });
  }
  return found;
}

interface Usage {
  path: string;
  /** Bytes, or a number of inodes. */
  amount: number;
}

/** `du -k` lines, largest first; the root itself is left out. */
export function parseDu(output: string, root: string, unit = 1024): Usage[] {
  return output
    .split('\n')
    .flatMap((line) => {
      const match = /^(\d+)\s+(\/.*)$/.exec(line);
      return match ? [{ path: match[2] ?? '', amount: Number(match[1]) * unit }] : [];
    })
    .filter(({ path }) => path !== root)
    .sort((a, b) => b.amount - a.amount);
}

/** A file that is gone from its directory, and whose space is still taken because a process has it open. */
export interface DeletedFile {
  pid: number;
  program: string | null;
  sizeBytes: number;
  path: string;
}

/** `lsof -nP +L1 -F pcsn`: one field a line, by its first letter. */
export function parseLsofDeleted(output: string): DeletedFile[] {
  const files: DeletedFile[] = [];
  let pid = 0;
  let program: string | null = null;
  let sizeBytes = 0;
  for (const line of output.split('\n')) {
    const value = line.slice(1);
    if (line.startsWith('p')) pid = Number(value);
    if (line.startsWith('c')) program = value;
    if (line.startsWith('f')) sizeBytes = 0;
    if (line.startsWith('s')) sizeBytes = Number(value);
    if (line.startsWith('n') && value.startsWith('/'))
      files.push({ pid, program, sizeBytes, path: value.replace(/ \(deleted\)$/, '') });
  }
  return files;
}

/** `/proc/12/fd/3<TAB>/var/log/x (deleted)` lines of `find -printf`; what lives in memory only is left out. */
export function parseDeletedLinks(output: string): { descriptor: string; pid: number; path: string }[] {
  return output.split('\n').flatMap((line) => {
    const match = /^(\/proc\/(\d+)\/fd\/\d+)\t(\/.*) \(deleted\)$/.exec(line);
    if (!match) return [];
    const [, descriptor = '', pid, path = ''] = match;
    return /^\/(memfd:|dev\/zero|SYSV|dev\/shm|anon_hugepage|i915)/.test(path)
      ? []
      : [{ descriptor, pid: Number(pid), path }];
  });
}
