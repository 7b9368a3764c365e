import { z } from 'zod';
import { afterwards, leaveAlone, managed } from '../shared/managed.ts';
import { oneOf, reason, servicesIn } from '../shared/names.ts';
import { done, failed } from '../shared/say.ts';
import { defineTool, type ToolContext } from '../tool.ts';

const output = z.object({ service: z.string(), state: z.string() });

export const startService = defineTool({
  name: 'start_service',
  description: 'Starts a service that is not running.',
  risk: 'reversible',
  applies: (scope, config) => servicesIn(scope, config).length > 0,
  input: (scope, config) => z.strictObject({ service: oneOf(servicesIn(scope, config), 'what to start'), reason }),
  output,
  async plan({ service: name }, context) {
    const ready = await look(name, context);
    if ('refusal' in ready) return ready;
    return { plan: { title: `start ${name}`, service: name, risk: 'reversible', undo: `stop_service ${name}` } };
  },
  async run({ service: name }, context) {
    const ready = await look(name, context);
    if ('refusal' in ready)
      return failed(`${name} was not started: ${ready.refusal}`, { service: name, state: 'unknown' });
    const after = await afterwards(await ready.manager.start(), ready.manager);
    return after.ok
      ? done(`started ${name}: ${after.text}`, { service: name, state: after.state })
      : failed(`${name} could not be started: ${after.text}. read_logs(${name}) may tell why.`, {
          service: name,
          state: after.state,
        });
  },
});

async function look(name: string, context: ToolContext) {
  const found = await managed(name, context);
  if ('refusal' in found) return found;
  const { state, summary } = found.status;
  if (state === 'running')
    return { refusal: `${name} is already running (${summary}); restart_service is for one that runs and fails` };
  if (state === 'paused')
    return { refusal: `${name} is not stopped but paused (${summary}); continue_process wakes it` };
  const refusal = leaveAlone(found, context.clock.now());
  return refusal === null ? found : { refusal };
}
