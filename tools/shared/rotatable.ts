import type { Service } from '../../src/config/schema.ts';
import { formatBytes, tenth } from '../../src/health/format.ts';
import type { ToolContext } from '../tool.ts';
import { parseDf } from './disk.ts';
import { plain } from './places.ts';

const DEFAULT_ABOVE = 100 * 1024 * 1024;
/** On a disk as full as this a smaller log may go, too, unless a person has set the limit. */
const FULL_PERCENT = 90;
const WORTH_BYTES = 1024 * 1024;

export interface Log {
  path: string;
  sizeBytes: number;
  inode: number;
}

/** The logs of a service that are over their limit, each a plain file of its own; or why none is to be rotated. */
export async function logsToRotate(
  service: Service,
  context: ToolContext,
): Promise<{ logs: Log[] } | { refusal: string }> {
  if (service.rotate === undefined)
    return { refusal: `nothing allows rotating the logs of ${service.name}: a person can set \`rotate:\` for it` };
  if (service.logs.length === 0) return { refusal: `${service.name} has no log files; its manager keeps its log` };
  const host = context.host(service.host);
  const above = service.rotate.above ?? DEFAULT_ABOVE;
  const logs: Log[] = [];
  const reasons: string[] = [];
  for (const path of service.logs) {
    const facts = await plain(host, path, 'file');
    if (!facts.ok) {
      reasons.push(facts.error);
      continue;
    }
    const { sizeBytes, inode } = facts.value;
    const overItsCheck = service.checks.some(
      ({ key, settings }) =>
        'file_size' in settings &&
        settings.file_size === path &&
        context
          .latest(service.name)
          .some((result) => result.check === key && (result.verdict === 'warn' || result.verdict === 'critical')),
    );
    const full =
      service.rotate.above === undefined && sizeBytes >= WORTH_BYTES
        ? await usedPercent(path, service.host, context)
        : 0;
    if (sizeBytes > 0 && (sizeBytes > above || overItsCheck || full >= FULL_PERCENT))
      logs.push({ path, sizeBytes, inode });
    else
      reasons.push(
        `${path} has ${formatBytes(sizeBytes)}, its limit is ${formatBytes(above)}${full > 0 ? ` (its disk is ${tenth(full)} % full)` : ''}`,
      );
  }
  return logs.length > 0 ? { logs } : { refusal: reasons.join('; ') };
}

async function usedPercent(path: string, host: string, context: ToolContext): Promise<number> {
  const result = await context.host(host).run({ argv: ['df', '-Pk', path], timeoutMs: 5000, signal: context.signal });
  return parseDf(result.stdout)[0]?.usedPercent ?? 0;
}
