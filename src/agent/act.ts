import type { ActionPlan, Tool, ToolContext } from '../../tools/tool.ts';
import { messageOf } from '../base/outcome.ts';
import { sameAction } from '../guard/approval.ts';
import type { Performed } from '../guard/guard.ts';
import { isFailing } from '../incidents/correlate.ts';
import type { ActionRecord, ActionResult, Diagnosis, Incident, ProposedAction } from '../incidents/incident.ts';
import { incidentReport } from '../incidents/report.ts';
import type { AgentParts } from './parts.ts';
import { incidentChecks } from './scope.ts';

/** What one step of a plan led to; `done` goes on with the next. */
export type StepResult = {
  outcome: 'done' | Exclude<ActionResult['outcome'], 'acted'>;
  summary: string;
  action?: ActionRecord;
  /** What a person must be told, though the plan goes on. */
  alert?: string;
};

/** What the steps of one attempt share. */
export interface Attempt {
  parts: AgentParts;
  incident: Incident;
  diagnosis: Diagnosis;
  context: ToolContext;
  options: AttemptOptions;
  /** Done before a person was asked; what a plan has done is not done twice when it is taken up again. */
  before: ActionRecord[];
}

/** How an acting tool is asked for: by the loop, or by a person at the terminal. */
export interface AttemptOptions {
  signal: AbortSignal;
  byHand?: boolean;
  /** An approval that was given for the first action of the plan that asks. */
  approval?: number;
}

/** How long an action waits for another one on the same service to end. */
const PATIENCE_MS = 300_000;
/** An action that had to wait for longer than this is looked at again before it begins. */
const LINE_MS = 5000;
export const STOPPED: StepResult = { outcome: 'failed', summary: 'stopped before it was done' };

/**
 * One action, through the guard: planned and measured first, so that nothing is done that is not needed any more.
 */
export async function act(
  attempt: Attempt,
  proposed: ProposedAction,
  patientUntil = attempt.parts.clock.now() + PATIENCE_MS,
): Promise<StepResult> {
  const { parts, incident, diagnosis, context, options } = attempt;
  const refuse = (text: string): StepResult => {
    // A yes to what cannot be done any more is used up, or it would be tried again at every turn.
    if (options.approval !== undefined) parts.store.approvals.use(options.approval);
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
      byModel: attempt.diagnosis.source === 'model',
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
      const asked = parts.record(incident.id, { type: 'asked', text, data }, { state: 'awaiting' });
      tellQuestion(parts, asked, text, `nightshift approve A${approval?.id} · nightshift deny A${approval?.id}`);
      return { outcome: 'asked', summary: `approval A${approval?.id} is needed to ${plan.title}` };
    }
    case 'denied':
      return refuse(`${plan.title}: ${decision.reason}`);
  }
}

/** A person hears of a question at once, not when it has expired. */
function tellQuestion(parts: AgentParts, incident: Incident, text: string, whatToDo: string): void {
  const { clock, outbox, store } = parts;
  outbox.put({
    incident: incident.id,
    severity: incident.severity,
    title: incident.title,
    reason: parts.redact(text),
    action_taken: 'none',
    what_to_do: whatToDo,
    at: new Date(clock.now()).toISOString(),
    report: incidentReport(incident, store.incidents.timeline(incident.id), store.actions.of(incident.id)),
  });
  // What is not taken now waits in the outbox and is said by the chores.
  void outbox.flush();
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

/** `runbook process-down`, `memory #12`, `model qwen3.5:9b`, `person`. */
export function byOf(
  diagnosis: Pick<Diagnosis, 'source' | 'sourceName'>,
  options?: Pick<AttemptOptions, 'byHand'>,
): string {
  if (options?.byHand || diagnosis.source === 'none') return 'person';
  return `${diagnosis.source} ${diagnosis.sourceName ?? ''}`.trim();
}
