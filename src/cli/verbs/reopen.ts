import { configFor, numberIn, requireIncident, storeFor, type Verb } from '../verb.ts';

/** Opens a resolved incident again: a person says that it is not over. What was done counts as not held, in memory, too. */
const reopen: Verb = async (context) => {
  const [which, ...words] = context.arguments;
  const id = numberIn(which, 'an incident');
  const { createRedactor } = await import('../../guard/redact.ts');
  const config = await configFor(context);
  const store = await storeFor(context, config);
  const incident = requireIncident(store, id);
  if (incident.state !== 'resolved') {
    context.terminal.error(`#${id} is not resolved: it is ${incident.state}`);
    store.close();
    return 1;
  }
  const why = createRedactor().redact(words.join(' ').trim()) || 'a person says that it is not over';
  for (const action of store.actions.of(id)) if (action.held) store.actions.setHeld(action.id, false);
  const remembered = incident.signature === null ? [] : store.memory.bySignature(incident.signature);
  for (const { signature, service, cause, actions, foundBy, resolution, lastIncident } of remembered)
    if (lastIncident === id)
      store.memory.record({ signature, service, cause, incident: id, actions, foundBy, resolution }, false);
  store.incidents.append(
    id,
    { type: 'reopened', text: why, data: { by: 'person' } },
    {
      state: 'open',
      resolvedAt: null,
      resolvedBy: null,
      resolution: null,
      holdingSince: null,
      reopened: incident.reopened + 1,
      escalatedAt: null,
    },
  );
  store.close();
  context.terminal.line(`#${id} is open again · next  nightshift fix ${incident.service} --dry-run`);
  return 0;
};
export default reopen;
