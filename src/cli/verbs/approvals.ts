import { actionTitle } from '../../incidents/action-title.ts';
import { clockTime, shorten } from '../terminal.ts';
import { configFor, storeFor, type Verb } from '../verb.ts';

/** What waits for a person's yes: what would be done, why, on what evidence, at what risk, how it is undone, until when. */
const approvals: Verb = async (context) => {
  const { terminal } = context;
  const config = await configFor(context);
  const store = await storeFor(context, config, { readOnly: true });
  const waiting = store.approvals.list({ state: 'waiting' }).filter((approval) => approval.expiresAt > Date.now());
  const shown = waiting.map((approval) => ({ ...approval, evidence: approval.incident === null ? [] : (store.incidents.get(approval.incident)?.diagnosis?.evidence ?? []) }));
  store.close();
  if (context.options.json) {
    terminal.line(JSON.stringify(shown, null, 2));
    return 0;
  }
  if (shown.length === 0) terminal.line('nothing waits for you');
  for (const approval of shown) {
    terminal.line(`A${approval.id}  ${terminal.style('bold', approval.title || actionTitle(approval.action))}   ${approval.risk} · expires ${clockTime(approval.expiresAt)}`);
    terminal.line(`    why   ${approval.incident === null ? '' : `#${approval.incident} `}${shorten(approval.action.reason, 200)} (${approval.by})`);
    for (const item of approval.evidence.slice(0, 3)) terminal.line(`          ${item.title}  "${shorten(item.quote, 100)}"`);
    terminal.line(`    undo  ${approval.undo}`);
    terminal.line(`    nightshift approve A${approval.id} · nightshift deny A${approval.id} --because "..."`);
  }
  return 0;
};
export default approvals;
