import { z } from 'zod';
import { formatSpan } from '../../src/health/format.ts';
import { afterwards, managed } from '../shared/managed.ts';
import { oneOf, reason, servicesIn } from '../shared/names.ts';
import { done, failed } from '../shared/say.ts';
import { defineTool, type ToolContext } from '../tool.ts';

const output = z.object({ service: z.string(), state: z.string() });

export const stopService = defineTool({
  name: 'stop_service',
  description:
    'Stops a service and leaves it stopped. Only to end harm, such as a crash loop or a flood; to repair it use restart_service.',
  risk: 'disruptive',
  applies: (scope, config) => servicesIn(scope, config).length > 0,
  input: (scope, config) => z.strictObject({ service: oneOf(servicesIn(scope, config), 'what to stop'), reason }),
  output,
  async plan({ service: name }, context) {
    const ready = await look(name, context);
    if ('refusal' in ready) return ready;
    return { plan: { title: `stop ${name}`, service: name, risk: 'disruptive', undo: `start_service ${name}` } };
  },
  async run({ service: name }, context) {
    const ready = await look(name, context);
    if ('refusal' in ready)
      return failed(`${name} was not stopped: ${ready.refusal}`, { service: name, state: 'unknown' });
    const after = await afterwards(await ready.manager.stop(), ready.manager);
    const details = { service: name, state: after.state };
    return after.ok
      ? done(`stopped ${name}: ${after.text}`, details)
      : failed(
          `${name} could not be stopped (SIGTERM, ${formatSpan(ready.service.drain)} to drain, SIGKILL): ${after.text}`,
          details,
        );
  },
});

async function look(name: string, context: ToolContext) {
  const found = await managed(name, context);
  if ('refusal' in found) return found;
  const { state, summary } = found.status;
  return state === 'stopped' || state === 'absent' ? { refusal: `${name} does not run (${summary})` } : found;
}
