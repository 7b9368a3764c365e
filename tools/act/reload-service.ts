import { z } from 'zod';
import type { Service } from '../../src/config/schema.ts';
import { afterwards, configTrouble, managed } from '../shared/managed.ts';
import { oneOf, reason, servicesIn } from '../shared/names.ts';
import { done, failed } from '../shared/say.ts';
import { defineTool, type ToolContext } from '../tool.ts';

const output = z.object({ service: z.string(), state: z.string() });
/** These managers can always pass a signal on; a plain process needs to be told which. */
const reloadable = (service: Service): boolean => service.manager !== 'process' || service.reload_signal !== undefined;

export const reloadService = defineTool({
  name: 'reload_service',
  description:
    'Makes a running service read its configuration again without ending it. Its configuration is tested first where a test is known.',
  risk: 'reversible',
  applies: (scope, config) => servicesIn(scope, config, reloadable).length > 0,
  input: (scope, config) =>
    z.strictObject({ service: oneOf(servicesIn(scope, config, reloadable), 'what to reload'), reason }),
  output,
  async plan({ service: name }, context) {
    const ready = await look(name, context);
    if ('refusal' in ready) return ready;
    return { plan: { title: `reload ${name}`, service: name, risk: 'reversible', undo: 'none needed' } };
  },
  async run({ service: name }, context) {
    const ready = await look(name, context);
    if ('refusal' in ready)
      return failed(`${name} was not reloaded: ${ready.refusal}`, { service: name, state: 'unknown' });
    const after = await afterwards(await ready.manager.reload(), ready.manager);
    const details = { service: name, state: after.state };
    return after.ok
      ? done(`reloaded ${name}: ${after.text}`, details)
      : failed(`${name} could not be reloaded: ${after.text}`, details);
  },
});

async function look(name: string, context: ToolContext) {
  const found = await managed(name, context);
  if ('refusal' in found) return found;
  if (found.status.state !== 'running')
    return { refusal: `${name} does not run (${found.status.summary}); start_service starts it` };
  const trouble = await configTrouble(found.service, context);
  return trouble === null
    ? found
    : { refusal: `its configuration is not valid. ${trouble}. restore_file may put it right` };
}
