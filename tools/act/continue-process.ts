import { z } from 'zod';
import { signalProcess } from '../../src/services/process-stop.ts';
import { identityOf, isPaused } from '../../src/services/process-table.ts';
import { oneOf, reason, servicesIn } from '../shared/names.ts';
import type { ProcessEntry } from '../shared/processes.ts';
import { count, done, failed } from '../shared/say.ts';
import { processesOf } from '../shared/service-processes.ts';
import { untouchable } from '../shared/untouchable.ts';
import { defineTool, type ToolContext } from '../tool.ts';

const SETTLE_MS = 200;
const output = z.object({ service: z.string(), continued: z.array(z.number()) });

export const continueProcess = defineTool({
  name: 'continue_process',
  description:
    'Wakes the processes of a service that are stopped by a signal (state T, "paused"): its port listens, but nothing answers. Loses nothing; try it before a restart.',
  risk: 'reversible',
  applies: (scope, config) => servicesIn(scope, config).length > 0,
  input: (scope, config) => z.strictObject({ service: oneOf(servicesIn(scope, config), 'whose processes'), reason }),
  output,
  async plan({ service }, context) {
    const found = await paused(service, context);
    if ('refusal' in found) return found;
    return {
      plan: {
        title: `continue ${count(found.entries.length, 'stopped process', 'stopped processes')} of ${service}`,
        service,
        risk: 'reversible',
        undo: 'none needed',
      },
    };
  },
  async run({ service: name }, context) {
    const found = await paused(name, context);
    if ('refusal' in found) return failed(`Nothing was continued: ${found.refusal}`, { service: name, continued: [] });
    const host = context.host(context.service(name).host);
    const problems: string[] = [];
    for (const { pid } of found.entries) {
      const sent = await signalProcess(host, pid, 'CONT');
      if (!sent.ok) problems.push(sent.error);
    }
    await context.clock.sleep(SETTLE_MS);
    const still: number[] = [];
    for (const { pid } of found.entries) {
      const now = await identityOf(host, pid);
      if (now.ok && now.value !== null && isPaused(now.value.state)) still.push(pid);
    }
    const continued = found.entries.map(({ pid }) => pid).filter((pid) => !still.includes(pid));
    if (still.length > 0)
      return failed(`process ${still.join(', ')} of ${name} is still stopped ${problems.join('; ')}`, {
        service: name,
        continued,
      });
    return done(`process ${continued.join(', ')} of ${name} was stopped by a signal and goes on`, {
      service: name,
      continued,
    });
  },
});

async function paused(name: string, context: ToolContext): Promise<{ entries: ProcessEntry[] } | { refusal: string }> {
  const service = context.service(name);
  const found = await processesOf(service, context);
  if (!found.ok) return { refusal: found.error };
  const host = context.host(service.host);
  if (found.value.main === null)
    return { refusal: `${name} has no process (${found.value.status?.summary ?? found.value.statusError})` };
  const entries = found.value.own.filter(
    (entry) => isPaused(entry.state) && untouchable(entry, found.value.all, host) === null,
  );
  return entries.length === 0 ? { refusal: `no process of ${name} is stopped by a signal` } : { entries };
}
