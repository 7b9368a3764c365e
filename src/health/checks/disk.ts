import type { Limit } from '../../config/checks.ts';
import { limit as parseLimit } from '../../config/checks.ts';
import type { CheckRunner } from '../check.ts';
import { parseInodes, parseSpace } from '../df.ts';
import { commandTrouble, down, unmeasured } from '../finding.ts';
import { excerpt, formatBytes, tenth } from '../format.ts';
import { breachOf, isSize, type Limits, limitText } from '../limits.ts';

/** Where nothing is said, a disk is worth a word at 80 % and trouble at 90 %. */
export const usualLimits: Limits = { warn: parseLimit.parse('80%'), critical: parseLimit.parse('90%') };

/** Space and inodes of the file system that holds a path. A limit in bytes speaks of free space when it says `<`, else of used. */
export const disk: CheckRunner<'disk'> = async (check, { host, signal }) => {
  const { settings } = check;
  const platform = await host.platform();
  const ask = { timeoutMs: check.withinMs, signal };
  const [blocks, nodes] = await Promise.all([
    host.run({ argv: ['df', '-Pk', '--', settings.disk], ...ask }),
    host.run({
      argv: platform === 'darwin' ? ['df', '-ki', '--', settings.disk] : ['df', '-Pi', '--', settings.disk],
      ...ask,
    }),
  ]);
  const trouble = commandTrouble(blocks, host);
  if (trouble) return trouble;
  const space = parseSpace(blocks.stdout);
  if (!space) {
    const said = excerpt(blocks.stderr || blocks.stdout, 160);
    if (/no such file/i.test(said)) return down(check, 'absent', `${settings.disk} does not exist on ${host.name}`);
    return unmeasured(/permission denied/i.test(said) ? 'not-permitted' : 'look-failed', `df on ${host.name}: ${said}`);
  }
  // Some file systems (btrfs, many network ones) have no fixed number of inodes: then there is nothing to run out of.
  const inodes = parseInodes(nodes.stdout, platform);
  const limits = settings.warn || settings.critical ? settings : usualLimits;
  const more = {
    value: tenth(space.usedPercent),
    unit: '%',
    facts: {
      used_percent: tenth(space.usedPercent),
      free_bytes: space.freeBytes,
      inodes_used_percent: inodes === null ? null : tenth(inodes),
      mount: space.mount,
      device: space.device,
    },
  };
  const full = breachOf((limit) => spaceFor(limit, space), limits);
  const inodeLimits = settings.inodes ?? withoutSizes(limits);
  const crowded = inodes === null ? null : breachOf(inodes, inodeLimits);
  const summary = `${space.mount} is ${tenth(space.usedPercent)} % full, ${formatBytes(space.freeBytes)} free`;
  if (crowded && (!full || (full.verdict === 'warn' && crowded.verdict === 'critical')))
    return {
      ...more,
      verdict: crowded.verdict,
      reason: 'inodes',
      summary: `${space.mount} has ${tenth(inodes ?? 0)} % of its inodes in use (limit: ${limitText(crowded.limit)})`,
    };
  if (!full) return { ...more, verdict: 'ok', summary };
  return { ...more, verdict: full.verdict, reason: 'space', summary: `${summary} (limit: ${limitText(full.limit)})` };
};

function spaceFor(
  limit: Limit,
  { usedPercent, freeBytes, usedBytes }: { usedPercent: number; freeBytes: number; usedBytes: number },
): number {
  if (!isSize(limit)) return usedPercent;
  return limit.operator.startsWith('<') ? freeBytes : usedBytes;
}

const withoutSizes = ({ warn, critical }: Limits): Limits => ({
  ...(warn && !isSize(warn) ? { warn } : {}),
  ...(critical && !isSize(critical) ? { critical } : {}),
});
