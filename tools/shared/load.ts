import { parseProcStat } from '../../src/health/machine.ts';
import type { Host } from '../../src/hosts/host.ts';
import { succeeded } from '../../src/hosts/host.ts';
import type { ToolContext } from '../tool.ts';

/** How busy the cores of a machine are; null for what could not be measured. */
interface MachineLoad {
  /** 0 to 100, of all cores, over about a second. */
  busyPercent: number | null;
  cores: number | null;
  /** Load averages of 1, 5 and 15 minutes. */
  load: number[];
  /** Percent of time in which programs waited for a disk, or for a core, of the last 10 s. */
  waitsForDisk: number | null;
  waitsForCpu: number | null;
}

export async function loadOf(
  host: Host,
  { clock, signal }: Pick<ToolContext, 'clock' | 'signal'>,
): Promise<MachineLoad> {
  return (await host.platform()) === 'darwin' ? loadOnMac(host, signal) : loadOnLinux(host, clock, signal);
}

async function loadOnLinux(host: Host, clock: ToolContext['clock'], signal: AbortSignal): Promise<MachineLoad> {
  const text = async (path: string) => {
    const read = await host.readFile(path, { maxBytes: 262_144 });
    return read.ok ? read.value.text : '';
  };
  const before = parseProcStat(await text('/proc/stat'));
  await clock.sleep(1000, signal);
  const [stat, average, cpu, io] = await Promise.all([
    text('/proc/stat'),
    text('/proc/loadavg'),
    text('/proc/pressure/cpu'),
    text('/proc/pressure/io'),
  ]);
  const after = parseProcStat(stat);
  const measured = before !== null && after !== null && after.total > before.total;
  return {
    busyPercent: measured ? ((after.busy - before.busy) / (after.total - before.total)) * 100 : null,
    cores: after?.cores ?? null,
    load: average
      .split(' ')
      .slice(0, 3)
      .map(Number)
      .filter((value) => !Number.isNaN(value) && average !== ''),
    waitsForDisk: some(io),
    waitsForCpu: some(cpu),
  };
}

async function loadOnMac(host: Host, signal: AbortSignal): Promise<MachineLoad> {
  const [top, sysctl] = await Promise.all([
    host.run({ argv: ['top', '-l', '2', '-s', '1', '-n', '0'], timeoutMs: 8000, signal }),
    host.run({ argv: ['sysctl', '-n', 'hw.ncpu', 'vm.loadavg'], timeoutMs: 8000, signal }),
  ]);
  return {
    ...parseMacLoad(succeeded(top) ? top.stdout : '', succeeded(sysctl) ? sysctl.stdout : ''),
    waitsForDisk: null,
    waitsForCpu: null,
  };
}

/** `CPU usage: 5.12% user, 10.25% sys, 84.61% idle` (the last one counts) and `8` `{ 2.10 2.31 2.40 }`. */
export function parseMacLoad(top: string, sysctl: string): Pick<MachineLoad, 'busyPercent' | 'cores' | 'load'> {
  const idle = [...top.matchAll(/CPU usage:.*?([\d.]+)% idle/g)].at(-1)?.[1];
  const cores = /^\s*(\d+)\s*$/m.exec(sysctl)?.[1];
  return {
    busyPercent: idle === undefined ? null : 100 - Number(idle),
    cores: cores === undefined ? null : Number(cores),
    load: (/\{\s*([\d. ,]+?)\s*\}/.exec(sysctl)?.[1] ?? '')
      .split(/\s+/)
      .filter(Boolean)
      .map((value) => Number(value.replace(',', '.'))),
  };
}

/** `some avg10=0.12 ...` of a pressure file. */
const some = (text: string): number | null => {
  const found = /^some avg10=([\d.]+)/m.exec(text)?.[1];
  return found === undefined ? null : Number(found);
};
