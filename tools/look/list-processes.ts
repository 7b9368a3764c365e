import { z } from 'zod';
import { excerpt, formatBytes, formatSpan, tenth } from '../../src/health/format.ts';
import { readAccounts } from '../shared/accounts.ts';
import { hideSecrets } from '../shared/mask.ts';
import { hostArgument, hostOf, serviceArgument } from '../shared/names.ts';
import { currentCpu, type ProcessEntry, readProcesses, stateWord } from '../shared/processes.ts';
import { count, done, failed, lines } from '../shared/say.ts';
import { handlesFor, processesOf } from '../shared/service-processes.ts';
import { defineTool } from '../tool.ts';

const LONGEST_COMMAND = 110;
const output = z.object({
  host: z.string(),
  total: z.number(),
  processes: z.array(
    z.object({
      id: z.string().nullable(),
      pid: z.number(),
      user: z.string(),
      state: z.string(),
      cpuPercent: z.number(),
      rssBytes: z.number(),
      command: z.string(),
    }),
  ),
});

export const listProcesses = defineTool({
  name: 'list_processes',
  description:
    'The processes that use the most CPU or memory, those of one service, or those with a pid or text (is 4711 still there?). Gives each an id such as pid-3. Shows stopped and zombie processes.',
  risk: 'read',
  input: (scope, config) =>
    z.strictObject({
      service: serviceArgument(scope, config, 'only its processes'),
      host: hostArgument(scope),
      contains: z.string().min(1).max(200).optional().describe('a pid, or a plain text of the command line or user'),
      by: z.enum(['cpu', 'memory']).default('cpu'),
      count: z.int().min(1).max(30).default(10),
    }),
  output,
  async run({ service, host: hostName, contains, by, count: most }, context) {
    const host = hostOf({ service, host: hostName }, context);
    const found = service === undefined ? null : await processesOf(context.service(service), context);
    if (found !== null && !found.ok) return failed(found.error, { host: host.name, total: 0, processes: [] });
    const listed =
      found === null ? await readProcesses(host, context.signal) : { ok: true as const, value: found.value.all };
    if (!listed.ok) return failed(listed.error, { host: host.name, total: 0, processes: [] });
    const all = listed.value;
    const [now, accounts] = await Promise.all([currentCpu(host, context.signal), readAccounts(host)]);
    const cpuOf = (entry: ProcessEntry) => tenth(now === null ? entry.cpuPercent : (now.get(entry.pid) ?? 0));
    const weight = (entry: ProcessEntry) => (by === 'cpu' ? cpuOf(entry) : entry.rssBytes);
    const listable = found === null ? all.filter((entry) => !/^\[.*\]$/.test(entry.command)) : found.value.own;
    const text = contains?.trim().toLowerCase();
    // Compared with what is shown, so that nothing hidden can be guessed letter by letter.
    const fits = (entry: ProcessEntry, wantedText: string) =>
      String(entry.pid) === wantedText ||
      `${accounts.user(entry.user)} ${hideSecrets(entry.command)}`.toLowerCase().includes(wantedText);
    const wanted =
      text === undefined ? listable : (found === null ? all : listable).filter((entry) => fits(entry, text));
    const shown = wanted.toSorted((a, b) => weight(b) - weight(a) || b.rssBytes - a.rssBytes).slice(0, most);
    const odd =
      found === null && text === undefined
        ? all.filter((entry) => 'TtD'.includes(entry.state) && !shown.includes(entry)).slice(0, 5)
        : [];
    const ids = await handlesFor([...shown, ...odd], host.name, context);
    const row = (entry: ProcessEntry) =>
      [
        (ids.get(entry.pid) ?? 'ended').padEnd(7),
        `pid ${entry.pid}`,
        accounts.user(entry.user),
        `cpu ${cpuOf(entry)} %`,
        `mem ${formatBytes(entry.rssBytes)}`,
        `age ${formatSpan(entry.ageMs)}`,
        stateWord(entry.state),
        excerpt(hideSecrets(entry.command), LONGEST_COMMAND),
      ]
        .filter(Boolean)
        .join('  ');
    const zombies = all.filter((entry) => entry.state === 'Z');
    const among = `${service ?? host.name}: ${count(found === null ? all.length : listable.length, 'process', 'processes')}`;
    const filtered = contains === undefined ? '' : `, ${wanted.length} of them with pid or text "${contains}"`;
    const heading = `${among}${filtered}, by ${by}${now === null ? ' (cpu: average since each began)' : ' (cpu: now, percent of one core)'}`;
    const content = lines(
      heading,
      shown.map(row),
      odd.length > 0 && `not running:\n${odd.map(row).join('\n')}`,
      zombies.length > 0 &&
        text === undefined &&
        `${count(zombies.length, 'zombie')}, children of pid ${[...new Set(zombies.map(({ parent }) => parent))].slice(0, 5).join(', ')}`,
      found?.ok && found.value.main === null && `no process: ${found.value.status?.summary ?? found.value.statusError}`,
    );
    const details = [...shown, ...odd].map((entry) => ({
      id: ids.get(entry.pid) ?? null,
      pid: entry.pid,
      user: accounts.user(entry.user),
      state: entry.state,
      cpuPercent: cpuOf(entry),
      rssBytes: entry.rssBytes,
      command: hideSecrets(entry.command),
    }));
    return done(content, { host: host.name, total: all.length, processes: details });
  },
});
