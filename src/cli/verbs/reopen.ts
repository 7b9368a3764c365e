import { createRedactor } from '../../guard/redact.ts';
import { CannotRun, configFor, numberIn, storeFor, type Verb } from '../verb.ts';

/** Opens a resolved incident again: a person says that it is not over. What was remembered of it counts as not held. */
const reopen: Verb = async (context) => {
  const [which, ...words] = context.arguments;
  const id = numberIn(which, 'an incident');
  const config = await configFor(context);
  const store = await storeFor(context, config);
  const incident = store.incidents.get(id);
  if (incident === null) throw new CannotRun(`there is no incident #${id}: nightshift incidents lists them`);
  if (incident.state !== 'resolved') {
    context.terminal.error(`#${id} is not resolved: it is ${incident.state}`);
    store.close();
    return 1;
  }
  for (const action of store.actions.of(id)) if (action.held) store.actions.setHeld(action.id, false);
  store.incidents.append(
    id,
    { type: 'reopened', text: createRedactor().redact(words.join(' ')) || 'a person says that it is not over', data: { by: 'person' } },
    { state: 'open', resolvedAt: null, resolvedBy: null, resolution: null, reopened: incident.reopened + 1, escalatedAt: null },
  );
  store.close();
  context.terminal.line(`#${id} is open again · next  nightshift watch`);
  return 0;
};
export default reopen;
