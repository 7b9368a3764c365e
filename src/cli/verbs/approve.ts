import { watchHolder } from '../../store/watch-lock.ts';
import { CannotRun, configFor, numberIn, storeFor, type Verb } from '../verb.ts';

/** Allows one action, once. A running watch takes it up within a second. */
const approve: Verb = async (context) => decide(context, 'approved');
export default approve;

/** Shared with `deny`: an approval is decided once, while it waits and has not expired. */
export const decide = async (context: Parameters<Verb>[0], state: 'approved' | 'denied'): Promise<number> => {
  const id = numberIn(context.arguments[0], 'an approval');
  const { createRedactor } = await import('../../guard/redact.ts');
  const config = await configFor(context);
  const store = await storeFor(context, config);
  const { because: given } = context.options;
  const because = typeof given === 'string' && given.trim() !== '' ? createRedactor().redact(given.trim()) : null;
  const before = store.approvals.get(id);
  const decided = store.approvals.decide(id, state, because);
  if (decided?.incident) {
    const text = `A${id} ${state} by a person${because ? `: ${because}` : ''}`;
    store.incidents.append(decided.incident, { type: state, text, data: { approval: id } });
  }
  store.close();
  if (!before) throw new CannotRun(`there is no approval A${id}: nightshift approvals lists what waits`);
  if (!decided) {
    const now = before.state === 'waiting' ? 'past its time, and no answer is a no' : `${before.state} already`;
    context.terminal.error(`A${id} cannot be ${state} any more: it is ${now}`);
    return 1;
  }
  const watching = watchHolder(config.stateFolder) !== null;
  const next = watching ? '' : ` · no watch runs that would take it up · next  nightshift watch`;
  context.terminal.line(`A${id} ${state}: ${decided.title}${next}`);
  return 0;
};
