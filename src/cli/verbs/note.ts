import { CannotRun, configFor, numberIn, requireIncident, storeFor, type Verb } from '../verb.ts';

/** Adds a person's words to an incident's timeline. */
const note: Verb = async (context) => {
  const [which, ...words] = context.arguments;
  const id = numberIn(which, 'an incident');
  const text = words.join(' ').trim();
  if (text === '') throw new CannotRun(`what should be noted? nightshift note ${id} "the provider had an outage"`);
  const { createRedactor } = await import('../../guard/redact.ts');
  const config = await configFor(context);
  const store = await storeFor(context, config);
  requireIncident(store, id);
  store.incidents.append(id, { type: 'note', text: createRedactor().redact(text), data: { by: 'person' } });
  store.close();
  context.terminal.line(`noted on #${id}`);
  return 0;
};
export default note;
