import type { ProposedAction } from '../incidents/incident.ts';
import { canonicalJson } from '../store/json.ts';
import type { Approval, Store } from '../store/store.ts';
import type { ActionRequest } from './decision.ts';
import { effectiveRisk } from './policy.ts';

type Call = Pick<ProposedAction, 'tool' | 'arguments'>;

/** The same tool with exactly the same arguments. Reasons may differ: they reach no process. */
export const sameAction = (a: Call, b: Call): boolean =>
  a.tool === b.tool && canonicalJson(a.arguments) === canonicalJson(b.arguments);

/** Tools whose title says in full what would be done, and whose arguments do not: a name, or whoever holds a port. */
const TITLE_COUNTS: ReadonlySet<string> = new Set(['run_command', 'runbook_command', 'end_process']);

/** The numbers of placeholders begin anew with each process. */
const unnumbered = (title: string): string => title.replace(/<(secret|personal):([\w-]+):\d+>/g, '<$1:$2>');

/**
 * Whether a yes covers a request: `given`, `another-action` (it was for something else, so it says nothing here), or why
 * it does not cover it any more.
 */
export function checkApproval(
  approval: Approval | null,
  id: number,
  request: ActionRequest,
): 'given' | 'another-action' | { refused: string } {
  if (approval === null) return { refused: `there is no approval A${id}` };
  const { action } = approval;
  if (action.tool !== request.tool || approval.service !== request.service) return 'another-action';
  if (!sameAction(action, request)) {
    return { refused: `A${id} was given for ${action.tool} with other arguments: a yes covers exactly what was shown` };
  }
  if (TITLE_COUNTS.has(request.tool) && unnumbered(approval.title) !== unnumbered(request.title)) {
    return { refused: `A${id} was given to "${approval.title}", and now it would "${request.title}"` };
  }
  if (approval.incident !== request.incident) return { refused: `A${id} was given in another incident` };
  if (approval.state === 'waiting') return { refused: `nobody has decided A${id} yet` };
  if (approval.state !== 'approved')
    return { refused: `A${id} is ${approval.state}: a yes counts once, and until it expires` };
  if (approval.risk !== effectiveRisk(request) && effectiveRisk(request) !== 'reversible') {
    return { refused: `A${id} was given at the risk ${approval.risk}, and it is ${effectiveRisk(request)} now` };
  }
  return 'given';
}

/** An answer to a request that a person must decide: the question that waits, or that it was answered with no. */
type Asked = { approval: Approval } | { refused: string };

/** Puts the question to a person, once: the same one that still waits is not repeated, nor one that was answered with no. */
export function askFor(
  store: Pick<Store, 'approvals'>,
  request: ActionRequest,
  times: { now: number; expiresAt: number },
): Asked {
  const same = store.approvals
    .list(request.incident === null ? {} : { incident: request.incident })
    .filter((each) => each.incident === request.incident && sameAction(each.action, request));
  const waiting = same.find((each) => each.state === 'waiting' && each.expiresAt > times.now);
  if (waiting) return { approval: waiting };
  const refused = request.incident === null ? undefined : same.findLast((each) => each.state === 'denied');
  if (refused) {
    return {
      refused: `a person has said no to this in this incident (A${refused.id}${refused.because ? `: ${refused.because}` : ''})`,
    };
  }
  const { incident, tool, title, service, undo, by, reason } = request;
  return {
    approval: store.approvals.ask({
      incident,
      action: { tool, arguments: request.arguments, reason },
      title,
      service,
      risk: effectiveRisk(request),
      undo,
      by,
      askedAt: times.now,
      expiresAt: times.expiresAt,
    }),
  };
}
