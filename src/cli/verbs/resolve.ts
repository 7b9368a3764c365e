import { CannotRun, configFor, numberIn, storeFor, type Verb } from '../verb.ts';
import { watchHolder } from '../../store/watch-lock.ts';

/**
 * A person was faster. Their words are kept, and where they name an action, that action is remembered under the
 * incident's signature once its checks are seen to hold: by the running watch, or here when none runs.
 */
const resolve: Verb = async (context) => {
  const { terminal, options } = context;
  const { createRedactor } = await import('../../guard/redact.ts');
  const { parseActionWords } = await import('../../../memory/action-words.ts');
  const config = await configFor(context);
  const id = numberIn(context.arguments[0], 'an incident');
  const by = typeof options.by === 'string' ? options.by : '';
  const store = await storeFor(context, config);
  const incident = store.incidents.get(id);
  if (incident === null) throw new CannotRun(`there is no incident #${id}: nightshift incidents lists them`);
  if (incident.state === 'resolved') {
    terminal.error(`#${id} is resolved already, by ${incident.resolvedBy}`);
    store.close();
    return 1;
  }
  const actions = by ? parseActionWords(by, config) : null;
  const words = createRedactor().redact(by) || 'a person says that it is over';
  const note = { type: 'note' as const, text: `a person: ${words}`, data: { resolvedByPerson: true, by: words, actions: actions ?? [] } };
  if (options.proof === false) {
    store.incidents.append(id, note, { state: 'resolved', resolvedAt: Date.now(), resolvedBy: 'person', resolution: words });
    store.close();
    terminal.line(`#${id} resolved by a person, not measured`);
    return 0;
  }
  store.incidents.append(id, note, { state: 'holding' });
  store.close();
  const kept = actions ? `remembered once it has held: ${by}` : by ? 'kept as words: it names no action that Nightshift has' : 'nothing to remember: --by "restart SERVICE" says what helped';
  if (watchHolder(config.stateFolder) !== null) {
    terminal.line(`#${id}: the running watch proves that it holds; ${kept}`);
    return 0;
  }
  const { settleIncident } = await import('../../app.ts');
  const settled = await settleIncident({ config, surroundings: context, incident: id });
  terminal.line(settled.state === 'resolved' ? `#${id} resolved by a person, and it holds; ${kept}` : `#${id} is not over: its checks do not pass · nightshift show ${id}`);
  return settled.state === 'resolved' ? 0 : 1;
};
export default resolve;
