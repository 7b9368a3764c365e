import { z } from 'zod';
import { afterwards, configTrouble, leaveAlone, managed } from '../shared/managed.ts';
import { oneOf, reason, servicesIn } from '../shared/names.ts';
import { done, failed } from '../shared/say.ts';
import { defineTool, type ToolContext } from '../tool.ts';

const output = z.object({ service: z.string(), state: z.string() });

export const restartService = defineTool({
  name: 'restart_service',
  description:
    'Stops a service (SIGTERM, time to drain) and starts it again. For one that hangs, leaks or lost its way. Does not help against a bad release or file, or when what it needs is down.',
  risk: 'reversible',
  applies: (scope, config) => servicesIn(scope, config).length > 0,
  input: (scope, config) => z.strictObject({ service: oneOf(servicesIn(scope, config), 'what to restart'), reason }),
  output,
  async plan({ service: name }, context) {
    const ready = await look(name, context);
    if ('refusal' in ready) return ready;
    return { plan: { title: `restart ${name}`, service: name, risk: 'reversible', undo: 'none needed' } };
  },
  async run({ service: name }, context) {
    const ready = await look(name, context);
    if ('refusal' in ready)
      return failed(`${name} was not restarted: ${ready.refusal}`, { service: name, state: 'unknown' });
    const after = await afterwards(await ready.manager.restart(), ready.manager);
    const details = { service: name, state: after.state };
    return after.ok
      ? done(`restarted ${name}: ${after.text}`, details)
      : failed(`${name} could not be restarted: ${after.text}. read_logs(${name}) may tell why.`, details);
  },
});

async function look(name: string, context: ToolContext) {
  const found = await managed(name, context);
  if ('refusal' in found) return found;
  const alone = leaveAlone(found, context.clock.now());
  if (alone !== null) return { refusal: alone };
  // Old workers go on serving with a broken file on disk; a restart would end them and bring nothing back.
  const trouble = found.status.state === 'running' ? await configTrouble(found.service, context) : null;
  if (trouble !== null)
    return {
      refusal: `its configuration is not valid, so it would not come back. ${trouble}. restore_file may put it right`,
    };
  return found;
}
