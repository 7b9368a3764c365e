import type { CheckRunner } from '../check.ts';
import { findFile } from '../file-facts.ts';
import { down } from '../finding.ts';
import { formatBytes } from '../format.ts';

/** A file that must not grow past a size. One that does not exist has not grown. */
export const fileSize: CheckRunner<'file_size'> = async (check, { host }) => {
  const { file_size: path, warn, critical } = check.settings;
  const found = await findFile(host, path);
  if (!found.ok) return found.measurement;
  if (found.facts === null)
    return { verdict: 'ok', summary: `${path} does not exist`, value: 0, unit: 'bytes', facts: { size_bytes: 0 } };
  if (found.facts.kind !== 'file') return down(check, 'not-a-file', `${path} is not a file`);
  const { sizeBytes } = found.facts;
  const more = { value: sizeBytes, unit: 'bytes', facts: { size_bytes: sizeBytes } };
  const over = (limit: number): string => `${formatBytes(sizeBytes)} (limit: ${formatBytes(limit)})`;
  if (critical !== undefined && sizeBytes > critical)
    return { verdict: 'critical', reason: 'over-limit', summary: over(critical), ...more };
  if (warn !== undefined && sizeBytes > warn)
    return { verdict: 'warn', reason: 'over-limit', summary: over(warn), ...more };
  return { verdict: 'ok', summary: formatBytes(sizeBytes), ...more };
};
