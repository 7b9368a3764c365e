import type { Config } from '../../config/schema.ts';
import { watchHolder } from '../../store/watch-lock.ts';
import { count, field } from '../terminal.ts';
import { configFor, numberIn, requireIncident, storeFor, type Verb, type VerbContext } from '../verb.ts';

/**
 * A person was faster. Their words are kept, and where they name an action, that action is remembered under the
 * incident's signature once its checks are seen to hold: by the running watch, or here when none runs.
 */
const resolve: Verb = async (context) => {
  const { terminal, options } = context;
  const id = numberIn(context.arguments[0], 'an incident');
  const { createRedactor } = await import('../../guard/redact.ts');
  const { parseActionWords } = await import('../../../memory/action-words.ts');
  const config = await configFor(context);
  const by = typeof options.by === 'string' ? options.by.trim() : '';
  const store = await storeFor(context, config);
  const incident = requireIncident(store, id);
  if (incident.state === 'resolved') {
    terminal.error(
      `#${id} is resolved already, by ${incident.resolvedBy}: nightshift reopen ${id} when it is not over`,
    );
    store.close();
    return 1;
  }
  const actions = by ? parseActionWords(by, config) : null;
  const words = createRedactor().redact(by) || 'a person says that it is over';
  const data = { resolvedByPerson: true, by: words, actions: actions ?? [] };
  const note = { type: 'note' as const, text: `a person: ${words}`, data };
  if (options.proof === false) {
    store.incidents.append(id, note);
    const resolved = { type: 'resolved' as const, text: `${words} (by a person, not measured)` };
    store.incidents.append(id, resolved, {
      state: 'resolved',
      resolvedAt: Date.now(),
      resolvedBy: 'person',
      resolution: words,
    });
    store.close();
    terminal.line(`#${id} resolved by a person, not measured: nothing is remembered for next time`);
    return 0;
  }
  store.incidents.append(id, note, { state: 'holding' });
  store.close();
  const lesson = actions
    ? 'kept as words'
    : by
      ? 'kept as words: it names no action that Nightshift has, such as "restart SERVICE"'
      : 'nothing is remembered: --by "restart SERVICE" says what helped';
  if (watchHolder(config.stateFolder) !== null) {
    terminal.line(
      `#${id}: the running watch proves that it holds; ${actions ? `remembered once it has held: ${by}` : lesson}`,
    );
    return 0;
  }
  const { settleIncident } = await import('../../app.ts');
  const done = terminal.busy(`measuring whether #${id} is over, and holds …`);
  const settled = await settleIncident({ config, surroundings: context, incident: id });
  done();
  if (settled.state === 'resolved') {
    terminal.line(`#${id} resolved by a person, and it holds; ${(await learnedOf(context, config, id)) ?? lesson}`);
    return 0;
  }
  const failing = Object.values(settled.checks).filter(({ verdict }) => verdict !== 'ok');
  terminal.line(
    `#${id} is not over: ${count(failing.length, 'check')} of it ${failing.length === 1 ? 'does' : 'do'} not pass`,
  );
  for (const { check, verdict, summary } of failing) field(terminal, verdict, `${check} ${summary}`);
  terminal.line(`next  nightshift fix ${settled.service} --dry-run`);
  return 1;
};
export default resolve;

/** What was learned from the end of an incident, in the words of its timeline; null when nothing was. */
async function learnedOf(context: VerbContext, config: Config, id: number): Promise<string | null> {
  const store = await storeFor(context, config, { readOnly: true });
  const timeline = store.incidents.timeline(id);
  store.close();
  const end = timeline.findLastIndex((entry) => entry.type === 'resolved');
  const said = timeline.findLastIndex((entry) => entry.data.resolvedByPerson === true);
  return timeline.slice(said, end).findLast((entry) => entry.type === 'learned')?.text ?? null;
}
