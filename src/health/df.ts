interface Space {
  device: string;
  mount: string;
  usedBytes: number;
  freeBytes: number;
  /** As `df` counts it: of what ordinary users can use, before rounding. */
  usedPercent: number;
}

/** The first file system in the output of `df -Pk`; null when there is none. */
export function parseSpace(text: string): Space | null {
  const match = /^(\S.*?)\s+(\d+)\s+(\d+)\s+(-?\d+)\s+(?:\d+%|-)\s+(\/.*)$/m.exec(text);
  if (!match) return null;
  const [, device = '', , used = '', free = '', mount = ''] = match;
  const usedBytes = Number(used) * 1024;
  const freeBytes = Math.max(Number(free), 0) * 1024;
  const usable = usedBytes + freeBytes;
  return {
    device,
    mount: mount.trim(),
    usedBytes,
    freeBytes,
    usedPercent: usable === 0 ? 0 : (usedBytes / usable) * 100,
  };
}

/** Percent of inodes in use, from `df -Pi` (Linux) or `df -ki` (macOS); null where the file system has no fixed number. */
export function parseInodes(text: string, platform: 'linux' | 'darwin' | 'unknown'): number | null {
  const match =
    platform === 'darwin'
      ? /^\S.*?\s+\d+\s+\d+\s+-?\d+\s+\d+%\s+(\d+)\s+(\d+)\s+(?:\d+%|-)\s+\/.*$/m.exec(text)
      : /^\S.*?\s+\d+\s+(\d+)\s+(-?\d+)\s+(?:\d+%|-)\s+\/.*$/m.exec(text);
  if (!match) return null;
  const used = Number(match[1]);
  const total = used + Number(match[2]);
  return total <= 0 ? null : (used / total) * 100;
}
