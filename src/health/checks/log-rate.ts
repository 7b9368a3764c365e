import { z } from 'zod';
import type { CheckConfig } from '../../config/checks.ts';
import type { CheckContext, CheckRunner, Measurement } from '../check.ts';
import { countMatches } from '../count-matches.ts';
import { unmeasured } from '../finding.ts';
import { excerpt, formatBytes, tenth } from '../format.ts';
import { judge } from '../limits.ts';
import { newLines } from '../new-lines.ts';
import { readPosition } from '../position.ts';

const positionSchema = z.object({
  at: z.number(),
  files: z.record(z.string(), z.object({ inode: z.number(), offset: z.number() })),
});
type Position = z.output<typeof positionSchema>;

type Gathered =
  | { ok: true; text: string; files: Position['files']; skippedBytes: number }
  | { ok: false; measurement: Measurement };

/** Matching log lines per minute since the last measurement. The first one only notes where the log ends. */
export const logRate: CheckRunner<'log_rate'> = async (check, context) => {
  const { settings, key, withinMs, everyMs } = check;
  const now = context.clock.now();
  const last = readPosition(context.history, key, positionSchema);
  const gathered = await gather(check, context, last);
  if (!gathered.ok) return gathered.measurement;
  const { text, files, skippedBytes } = gathered;
  const counted =
    text === ''
      ? { ok: true as const, matches: 0, example: null }
      : countMatches(text, settings.log_rate, withinMs / 2);
  context.history.setPosition(key, JSON.stringify({ at: now, files } satisfies Position));
  if (!counted.ok) return unmeasured(counted.reason, counted.summary);
  if (!last)
    return { verdict: 'ok', summary: 'counting from now on', value: 0, unit: 'per minute', facts: { matches: 0 } };
  // What was too much to read is taken to be like what was read.
  const bytes = Buffer.byteLength(text);
  const matches =
    skippedBytes > 0 && bytes > 0 ? Math.round((counted.matches * (bytes + skippedBytes)) / bytes) : counted.matches;
  // Measured again sooner than planned, one line would otherwise count as hundreds a minute.
  const minutes = Math.max(now - last.at, Math.min(everyMs, 60_000)) / 60_000;
  const perMinute = tenth(matches / minutes);
  const estimate = skippedBytes > 0 ? `, estimated: ${formatBytes(skippedBytes)} were skipped` : '';
  const facts = {
    matches,
    per_minute: perMinute,
    example: counted.example === null ? null : excerpt(counted.example, 160),
  };
  return judge(
    { value: perMinute, unit: 'per minute', summary: `${perMinute} matching lines a minute${estimate}`, facts },
    settings,
  );
};

async function gather(check: CheckConfig<'log_rate'>, context: CheckContext, last: Position | null): Promise<Gathered> {
  const { host, service, manager } = context;
  const paths = check.settings.file === undefined ? service.logs : [check.settings.file];
  if (paths.length === 0 && manager) return fromManager(context, last);
  if (paths.length === 0)
    return {
      ok: false,
      measurement: unmeasured('no-log', `${service.name} has no log file and no manager that keeps its log`),
    };
  const files: Position['files'] = {};
  let text = '';
  let skippedBytes = 0;
  for (const path of paths) {
    const read = await newLines(host, path, last?.files[path] ?? (last ? { inode: 0, offset: 0 } : null));
    if (!read.ok) return read;
    text += read.text;
    skippedBytes += read.skippedBytes;
    if (read.position) files[path] = read.position;
  }
  return { ok: true, text, files, skippedBytes };
}

async function fromManager({ manager, clock }: CheckContext, last: Position | null): Promise<Gathered> {
  if (!last || !manager) return { ok: true, text: '', files: {}, skippedBytes: 0 };
  const logs = await manager.logs({ since: last.at, until: clock.now() });
  if (!logs.ok) return { ok: false, measurement: unmeasured('no-log', logs.error) };
  return { ok: true, text: logs.value.map((log) => log.text).join('\n'), files: {}, skippedBytes: 0 };
}
