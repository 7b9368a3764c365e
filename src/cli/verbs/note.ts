import { createRedactor } from '../../guard/redact.ts';
import { CannotRun, configFor, numberIn, storeFor, type Verb } from '../verb.ts';

/** Adds a person's words to an incident's timeline. */
const note: Verb = async (context) => {
  const [which, ...words] = context.arguments;
  const id = numberIn(which, 'an incident');
  const config = await configFor(context);
  const store = await storeFor(context, config);
  if (store.incidents.get(id) === null) throw new CannotRun(`there is no incident #${id}: nightshift incidents lists them`);
  store.incidents.append(id, { type: 'note', text: createRedactor().redact(words.join(' ')), data: { by: 'person' } });
  store.close();
  context.terminal.line(`noted on #${id}`);
  return 0;
};
export default note;
