import { z } from 'zod';
import type { Service } from '../../src/config/schema.ts';
import { formatBytes } from '../../src/health/format.ts';
import { type Host, succeeded } from '../../src/hosts/host.ts';
import { type Clearable, clearable, sizeOf } from '../shared/clearable.ts';
import { oneOf, reason, servicesOnHosts } from '../shared/names.ts';
import { count, done, failed, whatCameBack } from '../shared/say.ts';
import { defineTool, type ToolContext } from '../tool.ts';

const output = z.object({
  service: z.string(),
  cleared: z.array(z.object({ directory: z.string(), freedBytes: z.number(), entriesLeft: z.number().nullable() })),
});

const clears = (service: Service): boolean => (service.clear?.length ?? 0) > 0;

export const clearDirectory = defineTool({
  name: 'clear_directory',
  description:
    'Deletes everything inside an allow-listed directory of a service, such as a cache; the directory itself stays. For a full disk or used-up inodes. Cannot be undone.',
  risk: 'disruptive',
  applies: (scope, config) => servicesOnHosts(scope, config, clears).length > 0,
  input: (scope, config) => {
    const services = servicesOnHosts(scope, config, clears);
    const directories = services.flatMap((name) => config.services.get(name)?.clear ?? []);
    return z.strictObject({
      service: oneOf(services, 'whose directory'),
      directory: oneOf(directories, 'one of its directories; default: all of them').optional(),
      reason,
    });
  },
  output,
  async plan(args, context) {
    const ready = await look(args, context);
    if ('refusal' in ready) return ready;
    const what = ready.found.map(
      ({ directory, entries, bytes }) => `${directory} (${count(entries, 'entry', 'entries')}, ${formatBytes(bytes)})`,
    );
    const title = `delete the content of ${what.join(' and ')}`;
    return { plan: { title, service: args.service, risk: 'disruptive', undo: 'none' } };
  },
  async run(args, context) {
    const ready = await look(args, context);
    if ('refusal' in ready)
      return failed(`Nothing was deleted: ${ready.refusal}`, { service: args.service, cleared: [] });
    const host = context.host(context.service(args.service).host);
    const results = [];
    for (const each of ready.found) results.push(await empty(each, host, context.signal));
    const content = results.map(({ said }) => said).join('\n');
    const details = { service: args.service, cleared: results.map(({ cleared }) => cleared) };
    if (results.some(({ ok }) => !ok)) return failed(content, details);
    return done(
      `${content}\nFiles that are still open keep their space until they are closed (disk_usage shows them).`,
      details,
    );
  },
});

type Arguments = { service: string; directory?: string | undefined };

/** What may be emptied of what was asked for; a refusal when that is nothing. */
async function look(
  { service: name, directory }: Arguments,
  context: ToolContext,
): Promise<{ found: Clearable[] } | { refusal: string }> {
  const service = context.service(name);
  const found: Clearable[] = [];
  const refusals: string[] = [];
  for (const each of directory === undefined ? (service.clear ?? []) : [directory]) {
    const ready = await clearable(service, each, context);
    if ('refusal' in ready) refusals.push(`${each}: ${ready.refusal}`);
    else found.push(ready);
  }
  return found.length > 0 ? { found } : { refusal: refusals.join('; ') };
}

async function empty({ directory, entries, bytes }: Clearable, host: Host, signal: AbortSignal) {
  const darwin = (await host.platform()) === 'darwin';
  // -delete follows no link, and a directory that became one is not entered; -xdev stays on this file system.
  const argv = darwin
    ? (['find', '-x', directory, '-mindepth', '1', '-delete'] as const)
    : (['find', '-P', directory, '-xdev', '-mindepth', '1', '-delete'] as const);
  const result = await host.run({ argv, timeoutMs: 120_000, signal });
  const [left, after] = await Promise.all([host.list(directory), sizeOf(directory, host, signal)]);
  const entriesLeft = left.ok ? left.value.length : null;
  const freedBytes = Math.max(0, bytes - after);
  const ok = succeeded(result) || entriesLeft === 0;
  const cleared = { directory, freedBytes, entriesLeft };
  const appeared = entriesLeft ? `; ${count(entriesLeft, 'entry', 'entries')} appeared meanwhile` : '';
  const said = ok
    ? `deleted the content of ${directory}: ${count(entries, 'entry', 'entries')}, ${formatBytes(freedBytes)} freed${appeared}`
    : `${directory} was emptied only in part: ${formatBytes(freedBytes)} freed, ${entriesLeft ?? 'an unknown number of'} entries left. ${whatCameBack(result, host)}`;
  return { ok, cleared, said };
}
