import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/outcome.ts';
import type { ActionRecord } from '../incidents/incident.ts';
import type { Approval, Store } from '../store/store.ts';
import { askFor, checkApproval, sameAction } from './approval.ts';
import type { ActionRequest, GuardDecision, GuardPolicy } from './decision.ts';
import { killSwitchIn } from './kill-switch.ts';
import { decide, effectiveRisk } from './policy.ts';
import { redactValues } from './redact-values.ts';

const HOUR = 3_600_000;
const APPROVAL_TTL_MS = 30 * 60_000;

/** What doing an action gave: whether it went through, and a sentence about it. */
export interface ExecutionResult {
  ok: boolean;
  summary: string;
}

/** How a request went. `done` says that it ran, not that it helped. */
export interface Performed {
  outcome: 'done' | 'failed' | 'asked' | 'denied';
  decision: GuardDecision;
  /** What was done, when it was allowed. */
  action?: ActionRecord;
  /** The question that waits for a person, when the outcome is `asked`. */
  approval?: Approval;
}

/** The one door that every action goes through. */
export interface Guard {
  /**
   * Decides, and if it is allowed: writes the intent, runs, writes the outcome. One action runs at a time, over all
   * services. Never rejects. `approval` is the number of a yes that a person gave to exactly this.
   */
  perform(request: ActionRequest, execute: () => Promise<ExecutionResult>, approval?: number): Promise<Performed>;
  /** What the guard would say now. Changes nothing: for a dry run. */
  preview(request: ActionRequest): GuardDecision;
  /** Marks what a killed process began and did not end as `unknown`, and returns it: it is measured, never run again. */
  recover(): ActionRecord[];
}

export interface GuardOptions {
  store: Store;
  clock: Clock;
  policy: () => GuardPolicy;
  /** Applied to every text before it is stored. */
  redact: (text: string) => string;
  /** How long a question waits for its answer, in milliseconds. Default 30 minutes. */
  newApprovalTtlMs?: number;
}

/** Names from outside may hold line breaks, and a second line could be taken for another question. */
const onOneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

const denied = (rule: string, reason: string): GuardDecision => ({ decision: 'deny', rule, reason });

/** The one guard of a process: its line of actions that wait for their turn is what keeps them one at a time. */
export function createGuard(options: GuardOptions): Guard {
  const { store, clock } = options;
  /** Actions that this process runs now: never taken for abandoned. */
  const running = new Set<number>();
  let line: Promise<unknown> = Promise.resolve();

  const abandoned = () =>
    (store.actions.abandoned?.() ?? store.actions.unfinished()).filter((action) => !running.has(action.id));

  const preview = (request: ActionRequest): GuardDecision => {
    const left = new Set(abandoned().map((action) => action.id));
    const begun = [
      ...store.actions.recent({ service: request.service, since: clock.now() - HOUR }),
      ...store.actions.unfinished(),
    ];
    const recentActions = [...new Map(begun.map((action) => [action.id, action])).values()].map((action) =>
      left.has(action.id) ? { ...action, state: 'unknown' as const } : action,
    );
    return decide(request, options.policy(), {
      recentActions,
      now: clock.now(),
      killSwitch: killSwitchIn(store.folder),
    });
  };

  /** The policy's word, and what a person's yes makes of it. A yes never opens what the policy denies. */
  const judge = (request: ActionRequest, approval: number | undefined): GuardDecision => {
    const decision = preview(request);
    if (decision.decision === 'deny' || approval === undefined) return decision;
    const check = checkApproval(store.approvals.get(approval), approval, asShown(request));
    if (check === 'given')
      return { decision: 'allow', rule: 'approved', reason: `a person approved exactly this (A${approval})` };
    if (check === 'another-action' || decision.decision === 'allow') return decision;
    return denied('approval', check.refused);
  };

  /** A yes is for now. One that could not be carried out is used up, or it would be tried again at every turn. */
  const giveUp = (request: ActionRequest, approval: number | undefined, decision: GuardDecision): Performed => {
    const lasting = decision.rule !== 'one-at-a-time';
    if (
      approval !== undefined &&
      lasting &&
      checkApproval(store.approvals.get(approval), approval, asShown(request)) === 'given'
    ) {
      store.approvals.use(approval);
    }
    return { outcome: 'denied', decision };
  };

  const markUnknown = (left: ActionRecord[]) =>
    left.map((action) =>
      store.actions.end(
        action.id,
        'unknown',
        'begun, but Nightshift stopped before it ended: its effect is measured, it is not run again',
      ),
    );

  /** Runs as one transaction, so that two processes never both slip under a limit or use one yes twice. */
  const intend = (
    request: ActionRequest,
    approval: number | undefined,
  ): { decision: GuardDecision; action?: ActionRecord } => {
    const decision = judge(request, approval);
    if (decision.decision !== 'allow') return { decision };
    if (decision.rule === 'approved' && (approval === undefined || store.approvals.use(approval) === null)) {
      return { decision: denied('approval', `A${approval} has expired or has just been used`) };
    }
    markUnknown(abandoned().filter((action) => action.service === request.service));
    const { incident, tool, service, undo, reason, by, arguments: values } = cleaned(request);
    const risk = effectiveRisk(request);
    return {
      decision,
      action: store.actions.intend({ incident, tool, arguments: values, service, risk, undo, reason, by }),
    };
  };

  const ask = (request: ActionRequest, decision: GuardDecision): Performed => {
    const clean = cleaned(request);
    if (!sameAction(clean, request)) {
      const reason = 'its arguments hold something that must not be stored, so a person cannot approve exactly this';
      return { outcome: 'denied', decision: denied('secret-arguments', reason) };
    }
    const asked = askFor(store, clean, {
      now: clock.now(),
      expiresAt: clock.now() + (options.newApprovalTtlMs ?? APPROVAL_TTL_MS),
    });
    if ('refused' in asked) return { outcome: 'denied', decision: denied('said-no', asked.refused) };
    return { outcome: 'asked', approval: asked.approval, decision };
  };

  /** Its title as a person was shown it; the arguments stay what they are. */
  const asShown = (request: ActionRequest): ActionRequest => ({
    ...request,
    title: onOneLine(options.redact(request.title)),
  });

  const cleaned = (request: ActionRequest): ActionRequest => ({
    ...asShown(request),
    arguments: redactValues(request.arguments, options.redact),
    undo: onOneLine(options.redact(request.undo)),
    reason: options.redact(request.reason),
    by: options.redact(request.by),
  });

  const carryOut = async (action: ActionRecord, execute: () => Promise<ExecutionResult>): Promise<ActionRecord> => {
    running.add(action.id);
    let ok = false;
    let summary: string;
    try {
      const result = await execute();
      ok = result.ok;
      summary = result.summary;
    } catch (error) {
      summary = `${action.tool} broke off: ${messageOf(error)}`;
    }
    const state = ok ? 'succeeded' : 'failed';
    try {
      return store.actions.end(action.id, state, options.redact(summary));
    } catch (error) {
      // It was done; saying otherwise would have it done again.
      return {
        ...action,
        state,
        endedAt: clock.now(),
        outcome: `it ${state}, which could not be kept: ${messageOf(error)}`,
      };
    } finally {
      running.delete(action.id);
    }
  };

  const transaction = <Value>(work: () => Value): Value => (store.transaction ? store.transaction(work) : work());

  const throughTheDoor = async (
    request: ActionRequest,
    execute: () => Promise<ExecutionResult>,
    approval?: number,
  ): Promise<Performed> => {
    const { decision, action } = transaction(() => intend(request, approval));
    if (decision.decision === 'ask') return transaction(() => ask(request, decision));
    if (!action) return giveUp(request, approval, decision);
    const ended = await carryOut(action, execute);
    return { outcome: ended.state === 'succeeded' ? 'done' : 'failed', action: ended, decision };
  };

  /** What could not be written down is not done. */
  const notKept = (error: unknown): Performed => ({
    outcome: 'denied',
    decision: denied('written-before-done', `its intent could not be written, so it was not done: ${messageOf(error)}`),
  });

  return {
    preview,
    recover: () => markUnknown(abandoned()),
    async perform(request, execute, approval) {
      try {
        // A question and a "no" need not wait for another action's end; only what may run stands in line.
        const first = judge(request, approval);
        if (first.decision === 'deny') return giveUp(request, approval, first);
        if (first.decision === 'ask') return transaction(() => ask(request, first));
        const mine = line.then(() => throughTheDoor(request, execute, approval));
        line = mine.catch(() => undefined);
        return await mine;
      } catch (error) {
        return notKept(error);
      }
    },
  };
}
