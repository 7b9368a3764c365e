import { z } from 'zod';
import { oneOf, servicesIn } from '../shared/names.ts';
import { count, done, failed, lines } from '../shared/say.ts';
import { defineTool, type ToolContext } from '../tool.ts';

/** What is read at the most, newest first; a flood says the same thing over and over. */
const MOST_BYTES = 4 * 1024 * 1024;
const LINES_SHOWN = 60;
/** Beyond these, like lines are told together where that can be done. */
const LINES_AS_THEY_ARE = 12;
const LONGEST_LINE = 400;
const CONDENSED_TOKENS = 2500;

const output = z.object({
  service: z.string(),
  sources: z.array(z.string()),
  lines: z.number(),
  matching: z.number(),
  truncated: z.boolean(),
});

export const readLogs = defineTool({
  name: 'read_logs',
  description:
    'The log of a service, like lines counted together. Use it for what happened just before the failure. `contains` keeps only lines with that text.',
  risk: 'read',
  input: (scope, config) =>
    z.strictObject({
      service: oneOf(servicesIn(scope, config), 'whose log'),
      since_minutes: z.int().min(1).max(1440).default(60).describe('how far back, in minutes'),
      contains: z.string().min(1).max(200).optional().describe('a plain text, upper and lower case alike'),
    }),
  output,
  async run({ service, since_minutes: minutes, contains }, context) {
    const nothing = { service, sources: [], lines: 0, matching: 0, truncated: false };
    const manager = context.manager(service);
    if (!manager)
      return failed(`${service} has no manager, so where its log is is not known. Set \`logs:\` for it.`, nothing);
    const since = context.clock.now() - minutes * 60_000;
    const read = await manager.logs({ since, maxBytes: MOST_BYTES });
    if (!read.ok)
      return failed(
        `The log of ${service} could not be read: ${read.error}. service_status and kernel_messages may still tell.`,
        nothing,
      );
    const sources = read.value.map((each) => each.source);
    const truncated = read.value.some((each) => each.truncated);
    const all = read.value.flatMap((each) => each.text.split('\n')).filter((line) => line.trim() !== '');
    const wanted = contains?.toLowerCase();
    const matching = wanted === undefined ? all : all.filter((line) => line.toLowerCase().includes(wanted));
    const details = { service, sources, lines: all.length, matching: matching.length, truncated };
    const from = sources.join(', ') || 'no source';
    const heading = `log of ${service}, last ${minutes} min, from ${from}: ${count(all.length, 'line')}${truncated ? ' (only the newest were read)' : ''}`;
    if (matching.length === 0) {
      const hint =
        all.length === 0
          ? `Nothing was written. A longer time (since_minutes, up to 1440) may show more.`
          : `No line contains "${contains}".`;
      return done(lines(heading, hint), details);
    }
    const filter = wanted === undefined ? '' : `${matching.length} of them contain "${contains}"`;
    return done(lines(heading, filter, shown(matching, context.condense)), details);
  },
});

function shown(matching: readonly string[], condense: ToolContext['condense']): string {
  if (condense && matching.length > LINES_AS_THEY_ARE) {
    const { text, patterns } = condense(matching.join('\n'), { budgetTokens: CONDENSED_TOKENS });
    return `${matching.length} lines -> ${count(patterns, 'pattern')}\n${text}`;
  }
  const newest = matching
    .slice(-LINES_SHOWN)
    .map((line) => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line));
  return lines(matching.length > newest.length && `the newest ${newest.length}:`, newest);
}
