import { risks } from '../config/schema.ts';
import type { ActionRecord } from '../incidents/incident.ts';
import type { ActionRequest, GuardDecision, GuardPolicy } from './decision.ts';

const HOUR = 3_600_000;

/** What may be done to a host itself: old data is cut or deleted, nothing is stopped. */
const MACHINE_TOOLS: ReadonlySet<string> = new Set(['rotate_log', 'clear_directory']);

/** What a decision rests on beside the request and the policy. */
export interface GuardFacts {
  /** Actions begun on the service within the last hour, and all that were begun and have not ended. */
  recentActions: readonly ActionRecord[];
  now: number;
  /** True while a person has put a file called STOP into the state folder. */
  killSwitch: boolean;
}

const deny = (rule: string, reason: string): GuardDecision => ({ decision: 'deny', rule, reason });

/** A tool that cannot be undone is at least disruptive, whatever it says of itself. */
export function effectiveRisk(request: Pick<ActionRequest, 'risk' | 'undo'>): ActionRequest['risk'] {
  const undo = request.undo.trim().toLowerCase();
  return request.risk === 'reversible' && (undo === 'none' || undo === '') ? 'disruptive' : request.risk;
}

/**
 * The rules, in the order in which they speak: the first that applies decides. Nothing here reads a clock, a file or a
 * model; what is not plainly allowed is refused.
 */
export function decide(request: ActionRequest, policy: GuardPolicy, facts: GuardFacts): GuardDecision {
  return refusal(request, policy, facts) ?? permission(request, policy);
}

function refusal(request: ActionRequest, policy: GuardPolicy, facts: GuardFacts): GuardDecision | null {
  const { service } = request;
  const risk = effectiveRisk(request);
  if (!risks.includes(risk))
    return deny('known-risk', `a risk called ${JSON.stringify(risk)} is not known, so it is refused`);
  if (risk === 'read')
    return deny('reads-do-not-act', 'a tool that only reads does not go through the guard: it may not act');
  if (request.tool === '' || service === '') return deny('named', 'an action must name its tool and its service');
  if (facts.killSwitch)
    return deny('stop', 'a file called STOP is in the state folder: nothing is done until it is removed');
  if (risk === 'destructive') {
    return deny('destructive', 'what destroys is never done by Nightshift: a person does it, after a backup');
  }
  if (policy.mode !== 'observe' && policy.mode !== 'propose' && policy.mode !== 'act') {
    return deny('known-mode', `a mode called ${JSON.stringify(policy.mode)} is not known, so nothing is done`);
  }
  if (policy.mode === 'observe' && !request.byHand) return deny('observe', 'in the mode observe Nightshift only looks');
  if (/^machine(@|$)/.test(service) && !MACHINE_TOOLS.has(request.tool)) {
    return deny(
      'machine',
      `${service} is a host, not a service: only a log may be rotated or a listed directory cleared there`,
    );
  }
  if (!request.byHand && request.failingChecks.length === 0) {
    return deny(
      'no-failing-check',
      `no check fails now by Nightshift's own measurement, so there is no ground to touch ${service}`,
    );
  }
  return underWay(request, facts) ?? overLimit(request, policy, facts);
}

function underWay(request: ActionRequest, facts: GuardFacts): GuardDecision | null {
  const other = facts.recentActions.find((action) => action.service === request.service && action.state === 'intended');
  if (!other) return null;
  return deny(
    'one-at-a-time',
    `${other.tool} is still under way on ${request.service} (action ${other.id}): a second one has to wait`,
  );
}

function overLimit(request: ActionRequest, policy: GuardPolicy, facts: GuardFacts): GuardDecision | null {
  const limit = policy.actionsPerServicePerHour;
  const begun = facts.recentActions
    .filter(
      (action) =>
        action.service === request.service && action.state !== 'refused' && action.intendedAt > facts.now - HOUR,
    )
    .map((action) => action.intendedAt)
    .sort((a, b) => b - a);
  if (begun.length < limit) return null;
  const opens = begun[limit - 1];
  const when =
    opens === undefined ? 'the limit allows none' : `the next is possible at ${new Date(opens + HOUR).toISOString()}`;
  return deny(
    'limit-per-hour',
    `${request.service} has had ${begun.length} of ${limit} actions within an hour: ${when}`,
  );
}

function permission(request: ActionRequest, policy: GuardPolicy): GuardDecision {
  const risk = effectiveRisk(request);
  if (request.byHand && !(request.byModel && risk !== 'reversible'))
    return { decision: 'allow', rule: 'by-hand', reason: 'a person asked for it at the terminal' };
  if (policy.mode === 'propose') {
    return { decision: 'ask', rule: 'propose', reason: 'in the mode propose a person decides on each action' };
  }
  if (risk === 'reversible') {
    return {
      decision: 'allow',
      rule: 'reversible',
      reason: 'in the mode act what is reversible is done within the limits',
    };
  }
  const why = request.risk === risk ? 'it disrupts' : 'it cannot be undone, which counts as disruptive';
  return { decision: 'ask', rule: 'disruptive', reason: `${why}: a person decides` };
}
