import type { CheckConfig } from '../../config/checks.ts';
import type { CheckContext, CheckRunner, Measurement } from '../check.ts';
import { formatBytes, tenth } from '../format.ts';
import { breachOf, isSize, type Limits, withBreach } from '../limits.ts';
import { machineMemory } from '../machine.ts';
import { mainTree } from '../main-process.ts';
import { usualLimits } from './disk.ts';

/** Memory in use. A limit written as a size speaks of bytes, any other of percent of the machine. */
export const memory: CheckRunner<'memory'> = (check, context) =>
  check.settings.memory === 'machine' ? ofMachine(check, context) : ofService(check, context);

async function ofMachine(check: CheckConfig<'memory'>, { host, signal }: CheckContext): Promise<Measurement> {
  const measured = await machineMemory(host, { timeoutMs: check.withinMs, signal });
  if (!measured.ok) return measured.measurement;
  const { totalBytes, availableBytes, swapUsedPercent } = measured.value;
  const limits = check.settings.warn || check.settings.critical ? check.settings : usualLimits;
  const usedBytes = totalBytes - availableBytes;
  return verdict(limits, usedBytes, totalBytes, `of ${formatBytes(totalBytes)} in use`, {
    total_bytes: totalBytes,
    available_bytes: availableBytes,
    swap_used_percent: swapUsedPercent === null ? null : tenth(swapUsedPercent),
  });
}

/** Pages that processes share are counted once for each of them, as `ps` does. */
async function ofService(check: CheckConfig<'memory'>, context: CheckContext): Promise<Measurement> {
  const main = await mainTree(context, check.withinMs);
  if (!main.ok) return main.measurement;
  const machine = await machineMemory(context.host, { timeoutMs: check.withinMs, signal: context.signal });
  if (!machine.ok) return machine.measurement;
  const rssBytes = main.tree.reduce((sum, { rssBytes }) => sum + rssBytes, 0);
  const several = main.tree.length === 1 ? '1 process' : `${main.tree.length} processes`;
  return verdict(check.settings, rssBytes, machine.value.totalBytes, `of the machine in use by ${several}`, {
    rss_bytes: rssBytes,
    pid: main.pid,
    processes: main.tree.length,
  });
}

function verdict(
  limits: Limits,
  usedBytes: number,
  totalBytes: number,
  what: string,
  facts: NonNullable<Measurement['facts']>,
): Measurement {
  const percent = tenth((usedBytes / totalBytes) * 100);
  const inBytes = [limits.critical, limits.warn].some((limit) => limit && isSize(limit));
  const breach = breachOf((limit) => (isSize(limit) ? usedBytes : percent), limits);
  const measurement = {
    value: inBytes ? usedBytes : percent,
    unit: inBytes ? 'bytes' : '%',
    summary: `${formatBytes(usedBytes)} (${percent} %) ${what}`,
    facts: { used_percent: percent, used_bytes: usedBytes, ...facts },
  };
  return withBreach(measurement, breach);
}
