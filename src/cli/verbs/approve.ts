import { watchHolder } from '../../store/watch-lock.ts';
import { CannotRun, configFor, numberIn, storeFor, type Verb } from '../verb.ts';

/** Allows one action, once. A running watch takes it up within a second. */
const approve: Verb = async (context) => decide(context, 'approved');
export default approve;

/** Shared with `deny`: an approval is decided once, while it waits and has not expired. */
export const decide = async (context: Parameters<Verb>[0], state: 'approved' | 'denied'): Promise<number> => {
  const config = await configFor(context);
  const store = await storeFor(context, config);
  const id = numberIn(context.arguments[0], 'an approval');
  const because = typeof context.options.because === 'string' ? context.options.because : null;
  const before = store.approvals.get(id);
  const decided = store.approvals.decide(id, state, because);
  if (decided?.incident) store.incidents.append(decided.incident, { type: state, text: `A${id} ${state} by a person${because ? `: ${because}` : ''}`, data: { approval: id } });
  store.close();
  if (!before) throw new CannotRun(`there is no approval A${id}: nightshift approvals lists what waits`);
  if (!decided) {
    context.terminal.error(`A${id} cannot be ${state} any more: it is ${before.state === 'waiting' ? 'past its time' : before.state}`);
    return 1;
  }
  const watching = watchHolder(config.stateFolder) !== null;
  context.terminal.line(`A${id} ${state}: ${decided.title}${watching ? '' : '. No watch runs that would take it up: nightshift watch'}`);
  return 0;
};
