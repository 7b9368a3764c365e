import type { Host } from '../hosts/host.ts';
import type { Measurement } from './check.ts';
import { look, unmeasured } from './finding.ts';

type Ask = { timeoutMs: number; signal: AbortSignal };

interface MachineMemory {
  totalBytes: number;
  /** What programs can still get without swapping. */
  availableBytes: number;
  /** 0 to 100; null where there is no swap or it is not known. */
  swapUsedPercent: number | null;
}

type Measured<Value> = { ok: true; value: Value } | { ok: false; measurement: Measurement };

export async function machineMemory(host: Host, ask: Ask): Promise<Measured<MachineMemory>> {
  const darwin = (await host.platform()) === 'darwin';
  const looked = await look(host, darwin ? ['vm_stat'] : ['cat', '/proc/meminfo'], ask);
  if (!looked.ok) return looked;
  if (!darwin) return parsed(parseMeminfo(looked.text), '/proc/meminfo');
  const total = await look(host, ['sysctl', '-n', 'hw.memsize'], ask);
  return total.ok ? parsed(parseVmStat(looked.text, Number(total.text.trim())), 'vm_stat') : total;
}

const parsed = <Value>(value: Value | null, source: string): Measured<Value> =>
  value === null
    ? { ok: false, measurement: unmeasured('look-failed', `${source} does not say what was looked for`) }
    : { ok: true, value };

/** `MemAvailable` is the kernel's own estimate (Linux 3.14 and newer). */
export function parseMeminfo(text: string): MachineMemory | null {
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) * 1024;
  const [totalBytes, availableBytes] = [field('MemTotal'), field('MemAvailable')];
  if (Number.isNaN(totalBytes) || Number.isNaN(availableBytes)) return null;
  const swap = field('SwapTotal');
  return { totalBytes, availableBytes, swapUsedPercent: swap > 0 ? ((swap - field('SwapFree')) / swap) * 100 : null };
}

/** Free, inactive and speculative pages can be had at once; the page size stands in the heading. */
export function parseVmStat(text: string, totalBytes: number): MachineMemory | null {
  const pageSize = Number(/page size of (\d+) bytes/.exec(text)?.[1]);
  const pages = (name: string): number => Number(new RegExp(`^Pages ${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]);
  const availableBytes = (pages('free') + pages('inactive') + pages('speculative')) * pageSize;
  return Number.isNaN(availableBytes) || !(totalBytes > 0)
    ? null
    : { totalBytes, availableBytes, swapUsedPercent: null };
}

/** Time that all cores have spent since boot, in ticks, and how many cores there are. */
interface CpuReading {
  busy: number;
  total: number;
  cores: number;
}

/** The first line of /proc/stat: waiting for disks counts as idle; guest time is already in user time. */
export function parseProcStat(text: string): CpuReading | null {
  const ticks = /^cpu\s+(.+)$/m.exec(text)?.[1]?.trim().split(/\s+/).slice(0, 8).map(Number);
  if (!ticks || ticks.length < 4 || ticks.some(Number.isNaN)) return null;
  const total = ticks.reduce((sum, value) => sum + value, 0);
  const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0);
  return { busy: total - idle, total, cores: text.match(/^cpu\d+ /gm)?.length || 1 };
}

/** Ticks of CPU time (user and system) of each process in the output of `cat /proc/PID/stat ...`, by pid. */
export function parseProcessTicks(text: string): Map<number, number> {
  return new Map(
    text.split('\n').flatMap((line) => {
      // The name in parentheses may hold anything, closing parentheses and spaces included.
      const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
      const pid = Number.parseInt(line, 10);
      const ticks = Number(fields[11]) + Number(fields[12]);
      return Number.isNaN(pid) || Number.isNaN(ticks) ? [] : [[pid, ticks] as const];
    }),
  );
}
