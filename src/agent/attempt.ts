import type { ActionPlan, Tool, ToolContext } from '../../tools/tool.ts';
import { messageOf } from '../base/outcome.ts';
import { sameAction } from '../guard/approval.ts';
import type { Performed } from '../guard/guard.ts';
import { isFailing } from '../incidents/correlate.ts';
import type {
  ActionRecord,
  ActionResult,
  Diagnosis,
  Incident,
  PlanStep,
  ProposedAction,
} from '../incidents/incident.ts';
import { compileExpression } from '../runbooks/expression.ts';
import { gatherFacts } from '../runbooks/facts.ts';
import type { AgentParts } from './parts.ts';
import { incidentChecks, scopeOf } from './scope.ts';

/** What one step of a plan led to; `done` goes on with the next. */
type StepResult = {
  outcome: 'done' | Exclude<ActionResult['outcome'], 'acted'>;
  summary: string;
  action?: ActionRecord;
  /** What a person must be told, though the plan goes on. */
  alert?: string;
};

/** What the steps of one attempt share. */
interface Attempt {
  parts: AgentParts;
  incident: Incident;
  diagnosis: Diagnosis;
  context: ToolContext;
  options: AttemptOptions;
  /** Done before a person was asked; what a plan has done is not done twice when it is taken up again. */
  before: ActionRecord[];
}

/** How long an action waits for another one on the same service to end. */
const PATIENCE_MS = 300_000;
/** An action that had to wait for longer than this is looked at again before it begins. */
const LINE_MS = 5000;
const STOPPED: StepResult = { outcome: 'failed', summary: 'stopped before it was done' };

/** How an acting tool is asked for: by the loop, or by a person at the terminal. */
export interface AttemptOptions {
  signal: AbortSignal;
  byHand?: boolean;
  /** An approval that was given for the first action of the plan that asks. */
  approval?: number;
}

/**
 * Carries out a diagnosis' plan, step by step, each action through the guard. It stops at the first step that is asked,
 * refused or fails. Nothing is done when the incident's checks pass by now, unless a person asked.
 */
export async function attempt(
  parts: AgentParts,
  incident: Incident,
  diagnosis: Diagnosis,
  options: AttemptOptions,
): Promise<ActionResult> {
  // An action that has begun is let finish, also while Nightshift is being stopped: every tool has its own time limit.
  const context = parts.toolContext(scopeOf(parts, incident), new AbortController().signal);
  const before = options.approval === undefined ? [] : doneBefore(parts, incident, diagnosis);
  const shared: Attempt = { parts, incident, diagnosis, context, options, before };
  const actions: ActionRecord[] = [...before];
  const done: string[] = [];
  const alerts: string[] = [];
  for (const step of diagnosis.plan) {
    if (options.signal.aborted) return { outcome: 'failed', actions, summary: STOPPED.summary };
    const result = await take(shared, step);
    if (result.action) actions.push(result.action);
    if (result.alert) alerts.push(result.alert);
    // What came before was enough.
    if (result.outcome === 'nothing-to-do' && actions.length > 0) break;
    if (result.outcome !== 'done') return { outcome: result.outcome, actions, summary: result.summary };
    if (result.summary) done.push(result.summary);
  }
  const alert = alerts.length > 0 ? { alert: alerts.join('; ') } : {};
  if (actions.length === 0)
    return {
      outcome: 'nothing-to-do',
      actions,
      summary: diagnosis.advice ?? 'nothing can be done by itself',
      ...alert,
    };
  return { outcome: 'acted', actions, summary: done.join('; '), ...alert };
}

async function take(attempt: Attempt, step: PlanStep): Promise<StepResult> {
  const { parts, incident, options } = attempt;
  switch (step.kind) {
    case 'action':
      return act(attempt, step.action, parts.clock.now() + PATIENCE_MS);
    case 'wait':
      await parts.clock.sleep(step.milliseconds, options.signal);
      return { outcome: 'done', summary: '' };
    case 'verify':
      return verify(parts, incident, step.checks, options.signal);
    case 'alert':
      return alertIf(attempt, step.when);
  }
}

async function act(attempt: Attempt, proposed: ProposedAction, patientUntil: number): Promise<StepResult> {
  const { parts, incident, diagnosis, context, options } = attempt;
  const refuse = (text: string): StepResult => {
    parts.record(incident.id, { type: 'refused', text, data: { action: proposed } });
    return { outcome: 'refused', summary: text };
  };
  const tool = parts.tools.find((each) => each.name === proposed.tool);
  if (!tool?.plan) return refuse(`there is no acting tool called ${proposed.tool}`);
  const parsed = tool.input(context.scope, context.config).safeParse(proposed.arguments);
  if (!parsed.success)
    return refuse(
      `${proposed.tool} was asked for with arguments it does not take: ${parsed.error.issues[0]?.message ?? ''}`,
    );
  const call = { tool: tool.name, arguments: parsed.data };
  const earlier = attempt.before.findIndex((action) => sameAction(action, call));
  if (earlier >= 0) {
    attempt.before.splice(earlier, 1);
    return { outcome: 'done', summary: '' };
  }
  const planned = await planOf(tool, parsed.data, context);
  if ('refusal' in planned) return refuse(`${proposed.tool}: ${planned.refusal}`);
  const { plan } = planned;

  const failing = await failingNow(parts, incident);
  const measuredAt = parts.clock.now();
  const needless = needlessNow(attempt, failing);
  if (needless) return needless;
  const by = byOf(diagnosis, options);
  let skipped: StepResult | null = null;
  const performed = await parts.guard.perform(
    {
      ...call,
      incident: incident.id,
      title: plan.title,
      service: plan.service,
      risk: plan.risk,
      undo: plan.undo,
      reason: proposed.reason,
      by,
      failingChecks: failing,
      byHand: options.byHand === true,
    },
    async () => {
      // It may have stood in line behind another action, which was perhaps enough.
      if (parts.clock.now() - measuredAt > LINE_MS) skipped = needlessNow(attempt, await failingNow(parts, incident));
      skipped ??= options.signal.aborted ? STOPPED : null;
      if (skipped) return { ok: false, summary: `not done: ${skipped.summary}` };
      const data = { tool: tool.name, service: plan.service, risk: plan.risk, undo: plan.undo, by };
      parts.record(incident.id, { type: 'action-start', text: plan.title, data }, { state: 'acting' });
      return run(tool, parsed.data, context);
    },
    approvalFor(parts, options.approval, call),
  );
  if (skipped) return skipped;
  if (performed.decision.rule === 'one-at-a-time' && parts.clock.now() < patientUntil && !options.signal.aborted) {
    await parts.clock.sleep(2000, options.signal);
    return act(attempt, proposed, patientUntil);
  }
  return told(parts, incident, plan, performed, refuse);
}

/** What the guard said, in the timeline and as the outcome of the step. */
function told(
  parts: AgentParts,
  incident: Incident,
  plan: ActionPlan,
  { action, approval, decision, outcome }: Performed,
  refuse: (text: string) => StepResult,
): StepResult {
  if (action) {
    const data = { ok: outcome === 'done', action: action.id, tool: action.tool, service: plan.service };
    parts.record(incident.id, { type: 'action-end', text: action.outcome ?? '', data });
  }
  switch (outcome) {
    case 'done':
      return { outcome: 'done', summary: `${plan.title}: ${action?.outcome ?? 'done'}`, action };
    case 'failed':
      return { outcome: 'failed', summary: `${plan.title} failed: ${action?.outcome ?? 'no reason given'}`, action };
    case 'asked': {
      const text = `A${approval?.id}: may I ${plan.title}? ${decision.reason}`;
      const data = { approval: approval?.id, risk: plan.risk, undo: plan.undo };
      parts.record(incident.id, { type: 'asked', text, data }, { state: 'awaiting' });
      return { outcome: 'asked', summary: `approval A${approval?.id} is needed to ${plan.title}` };
    }
    case 'denied':
      return refuse(`${plan.title}: ${decision.reason}`);
  }
}

/** A yes is handed on only with exactly what it was given for: the other steps of the plan stand for themselves. */
function approvalFor(
  parts: AgentParts,
  approval: number | undefined,
  call: Pick<ProposedAction, 'tool' | 'arguments'>,
): number | undefined {
  const given = approval === undefined ? null : parts.store.approvals.get(approval);
  return given && sameAction(given.action, call) ? approval : undefined;
}

async function planOf(
  tool: Tool,
  input: Record<string, unknown>,
  context: ToolContext,
): Promise<{ plan: ActionPlan } | { refusal: string }> {
  try {
    return (await tool.plan?.(input, context)) ?? { refusal: 'it cannot act' };
  } catch (error) {
    return { refusal: `what it would do cannot be worked out: ${messageOf(error)}` };
  }
}

const current = (parts: AgentParts, incident: Incident): Incident => parts.store.incidents.get(incident.id) ?? incident;

async function failingNow(parts: AgentParts, incident: Incident): Promise<string[]> {
  const measured = await parts.monitor.measure(incidentChecks(parts, current(parts, incident)));
  parts.ingest(measured);
  return measured.filter(isFailing).map((result) => result.check);
}

/** Why nothing is to be done by now, if so. */
function needlessNow({ parts, incident, options }: Attempt, failing: string[]): StepResult | null {
  if (current(parts, incident).state === 'resolved')
    return { outcome: 'nothing-to-do', summary: 'a person has resolved it meanwhile' };
  if (failing.length === 0 && !options.byHand)
    return { outcome: 'nothing-to-do', summary: 'no check of it fails by now' };
  return options.signal.aborted ? STOPPED : null;
}

async function run(
  tool: Tool,
  input: Record<string, unknown>,
  context: ToolContext,
): Promise<{ ok: boolean; summary: string }> {
  try {
    const result = await tool.run(input, context);
    return { ok: result.ok, summary: result.content };
  } catch (error) {
    return { ok: false, summary: `${tool.name} broke off: ${messageOf(error)}` };
  }
}

/** What this diagnosis' plan has done before it came to the step that asked. */
function doneBefore(parts: AgentParts, incident: Incident, diagnosis: Diagnosis): ActionRecord[] {
  const since = parts.store.incidents.timeline(incident.id).findLast((entry) => entry.type === 'diagnosis')?.at ?? 0;
  return parts.store.actions
    .of(incident.id)
    .filter(
      (action) =>
        action.state === 'succeeded' &&
        action.held === null &&
        action.intendedAt >= since &&
        action.by === byOf(diagnosis),
    );
}

/** `runbook process-down`, `memory #12`, `model qwen3.5:9b`, `person`. */
export function byOf(
  diagnosis: Pick<Diagnosis, 'source' | 'sourceName'>,
  options?: Pick<AttemptOptions, 'byHand'>,
): string {
  if (options?.byHand || diagnosis.source === 'none') return 'person';
  return `${diagnosis.source} ${diagnosis.sourceName ?? ''}`.trim();
}

async function verify(
  parts: AgentParts,
  incident: Incident,
  checks: string[],
  signal: AbortSignal,
): Promise<StepResult> {
  const wanted = incidentChecks(parts, incident, checks);
  const until = parts.clock.now() + (parts.config.services.get(incident.service)?.starts_within ?? 30_000);
  for (;;) {
    const results = await parts.monitor.measure(wanted);
    parts.ingest(results);
    const failing = results.filter((result) => result.verdict !== 'ok');
    if (failing.length === 0) return { outcome: 'done', summary: '' };
    if (parts.clock.now() >= until || signal.aborted) {
      const text = `not verified: ${failing.map((result) => `${result.check} ${result.summary}`).join('; ')}`;
      return { outcome: 'failed', summary: text };
    }
    await parts.clock.sleep(1000, signal);
  }
}

async function alertIf({ parts, incident, context }: Attempt, when: string): Promise<StepResult> {
  const { facts } = await gatherFacts({ incident, context });
  const expression = await compileExpression(when);
  if (!expression.ok || expression.value.evaluate(facts) !== true) return { outcome: 'done', summary: '' };
  const alert = `still so after what was done: ${when}`;
  parts.record(incident.id, { type: 'note', text: alert, data: { alert: true, facts } });
  return { outcome: 'done', summary: '', alert };
}
