import { actionTitle } from '../../incidents/action-title.ts';
import type { Evidence } from '../../incidents/incident.ts';
import type { Approval } from '../../store/store.ts';
import { clockTime, field, isoTime, shorten, type Terminal, zone } from '../terminal.ts';
import { configFor, storeFor, type Verb } from '../verb.ts';

/** What waits for a person's yes: what would be done, why, on what evidence, at what risk, how it is undone, until when. */
const approvals: Verb = async (context) => {
  const { terminal } = context;
  const config = await configFor(context);
  const store = await storeFor(context, config, { readOnly: true });
  const waiting = store.approvals.list({ state: 'waiting' }).filter((approval) => approval.expiresAt > Date.now());
  const asked = waiting.map((approval) => {
    const incident = approval.incident === null ? null : store.incidents.get(approval.incident);
    return { approval, evidence: incident?.diagnosis?.evidence ?? [] };
  });
  store.close();
  if (context.options.json) {
    terminal.line(JSON.stringify(asked.map(shown), null, 2));
    return 0;
  }
  if (asked.length === 0) terminal.line('nothing waits for you');
  for (const { approval, evidence } of asked) show(terminal, approval, evidence);
  return 0;
};
export default approvals;

const titleOf = ({ title, action }: Approval): string => title || actionTitle(action);

function show(terminal: Terminal, approval: Approval, evidence: Evidence[]): void {
  const { id, risk, expiresAt, incident, action, by, undo } = approval;
  terminal.line(
    `A${id}  ${terminal.style('bold', titleOf(approval))}   ${risk} · expires ${clockTime(expiresAt)} ${zone()}`,
  );
  field(terminal, '    why', `${incident === null ? '' : `#${incident} `}${shorten(action.reason, 200)} (${by})`);
  for (const { title, quote } of evidence.slice(0, 3)) field(terminal, '', `${title}  "${shorten(quote, 100)}"`);
  field(terminal, '    undo', undo);
  terminal.line(`    nightshift approve A${id} · nightshift deny A${id} --because "..."`);
}

const shown = ({ approval, evidence }: { approval: Approval; evidence: Evidence[] }) => ({
  approval: `A${approval.id}`,
  incident_id: approval.incident,
  title: titleOf(approval),
  service: approval.service,
  tool: approval.action.tool,
  arguments: approval.action.arguments,
  reason: approval.action.reason,
  risk: approval.risk,
  undo: approval.undo,
  by: approval.by,
  asked_at: isoTime(approval.askedAt),
  expires_at: isoTime(approval.expiresAt),
  evidence,
});
