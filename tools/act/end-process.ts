import { z } from 'zod';
import { describeProcess } from '../../src/services/process-table.ts';
import { endable } from '../shared/endable.ts';
import { endGracefully } from '../shared/ending.ts';
import { oneOf, reason, servicesIn } from '../shared/names.ts';
import { done, failed } from '../shared/say.ts';
import { defineTool } from '../tool.ts';

const output = z.object({ service: z.string(), pid: z.number().nullable(), ended: z.boolean() });

export const endProcess = defineTool({
  name: 'end_process',
  description:
    'Ends one process (SIGTERM, then SIGKILL if it stays): one of the service, or an allow-listed stray that holds its port. Name it by its id from list_processes or list_ports; without one, whoever holds the port.',
  risk: 'disruptive',
  applies: (scope, config) => servicesIn(scope, config).length > 0,
  input: (scope, config) =>
    z.strictObject({
      service: oneOf(servicesIn(scope, config), 'the service it belongs to, or whose port it holds'),
      process: z
        .string()
        .regex(/^pid-\d{1,6}$/, 'an id such as pid-3 from list_processes or list_ports was expected')
        .optional(),
      reason,
    }),
  output,
  async plan(args, context) {
    const target = await endable(args, context);
    if ('refusal' in target) return target;
    const { entry, why } = target;
    return {
      plan: {
        title: `end process ${describeProcess(entry)}, ${why}`,
        service: args.service,
        risk: 'disruptive',
        undo: 'none',
      },
    };
  },
  async run(args, context) {
    const target = await endable(args, context);
    if ('refusal' in target)
      return failed(`No process was ended: ${target.refusal}`, { service: args.service, pid: null, ended: false });
    const service = context.service(args.service);
    const { entry, began } = target;
    const ended = await endGracefully(context.host(service.host), {
      pid: entry.pid,
      began,
      drainMs: service.drain,
      clock: context.clock,
    });
    const details = { service: args.service, pid: entry.pid, ended: ended.ok };
    return ended.ok
      ? done(`process ${describeProcess(entry)} ${ended.value}`, details)
      : failed(`process ${describeProcess(entry)}: ${ended.error}`, details);
  },
});
