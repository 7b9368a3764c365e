import type { Tool, ToolContext } from '../../tools/tool.ts';
import { messageOf } from '../base/outcome.ts';
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
};

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
  const actions: ActionRecord[] = [];
  const done: string[] = [];
  for (const step of diagnosis.plan) {
    if (options.signal.aborted) return { outcome: 'failed', actions, summary: 'stopped before it was done' };
    const result = await take(parts, incident, diagnosis, step, context, options);
    if (result.action) actions.push(result.action);
    if (result.outcome !== 'done') return { outcome: result.outcome, actions, summary: result.summary };
    if (result.summary) done.push(result.summary);
  }
  if (actions.length === 0)
    return { outcome: 'nothing-to-do', actions, summary: diagnosis.advice ?? 'nothing can be done by itself' };
  return { outcome: 'acted', actions, summary: done.join('; ') };
}

async function take(
  parts: AgentParts,
  incident: Incident,
  diagnosis: Diagnosis,
  step: PlanStep,
  context: ToolContext,
  options: AttemptOptions,
): Promise<StepResult> {
  switch (step.kind) {
    case 'action':
      return act(parts, incident, diagnosis, step.action, context, options);
    case 'wait':
      await parts.clock.sleep(step.milliseconds, options.signal);
      return { outcome: 'done', summary: '' };
    case 'verify':
      return verify(parts, incident, step.checks, options.signal);
    case 'alert':
      return alertIf(parts, incident, step.when, context);
  }
}

async function act(
  parts: AgentParts,
  incident: Incident,
  diagnosis: Diagnosis,
  proposed: ProposedAction,
  context: ToolContext,
  options: AttemptOptions,
): Promise<StepResult> {
  const tool = parts.tools.find((each) => each.name === proposed.tool);
  const refuse = (text: string): StepResult => {
    parts.record(incident.id, { type: 'refused', text, data: { action: proposed } });
    return { outcome: 'refused', summary: text };
  };
  if (!tool?.plan) return refuse(`there is no acting tool called ${proposed.tool}`);
  if (alreadyDone(parts, incident, diagnosis, proposed)) return { outcome: 'done', summary: '' };
  const parsed = tool.input(context.scope, context.config).safeParse(proposed.arguments);
  if (!parsed.success)
    return refuse(
      `${proposed.tool} was asked for with arguments it does not take: ${parsed.error.issues[0]?.message ?? ''}`,
    );
  const planned = await tool.plan(parsed.data, context);
  if ('refusal' in planned) return refuse(`${proposed.tool}: ${planned.refusal}`);
  const { plan } = planned;

  const measured = await parts.monitor.measure(incidentChecks(parts, incident));
  parts.ingest(measured);
  const failing = measured.filter(isFailing).map((result) => result.check);
  if (failing.length === 0 && !options.byHand) return { outcome: 'nothing-to-do', summary: 'its checks pass by now' };

  const by = byOf(diagnosis, options);
  let started = false;
  const performed = await parts.guard.perform(
    {
      incident: incident.id,
      tool: tool.name,
      arguments: parsed.data,
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
      started = true;
      parts.record(
        incident.id,
        {
          type: 'action-start',
          text: plan.title,
          data: { tool: tool.name, service: plan.service, risk: plan.risk, undo: plan.undo, by },
        },
        { state: 'acting' },
      );
      return run(tool, parsed.data, context);
    },
    options.approval,
  );
  if (started && performed.action) {
    parts.record(incident.id, {
      type: 'action-end',
      text: performed.action.outcome ?? '',
      data: { ok: performed.outcome === 'done', action: performed.action.id, tool: tool.name, service: plan.service },
    });
  }
  const action = performed.action;
  switch (performed.outcome) {
    case 'done':
      return { outcome: 'done', summary: `${plan.title}: ${action?.outcome ?? 'done'}`, action };
    case 'failed':
      return { outcome: 'failed', summary: `${plan.title} failed: ${action?.outcome ?? 'no reason given'}`, action };
    case 'asked':
      parts.record(
        incident.id,
        {
          type: 'asked',
          text: `A${performed.approval?.id}: may I ${plan.title}? ${performed.decision.reason}`,
          data: { approval: performed.approval?.id, risk: plan.risk, undo: plan.undo },
        },
        { state: 'awaiting' },
      );
      return { outcome: 'asked', summary: `approval A${performed.approval?.id} is needed to ${plan.title}` };
    case 'denied':
      return refuse(`${plan.title}: ${performed.decision.reason}`);
  }
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

/** After an approval a plan is taken up again: what it has done since the diagnosis is not done twice. */
function alreadyDone(parts: AgentParts, incident: Incident, diagnosis: Diagnosis, proposed: ProposedAction): boolean {
  const since = parts.store.incidents.timeline(incident.id).findLast((entry) => entry.type === 'diagnosis')?.at ?? 0;
  return parts.store.actions
    .of(incident.id)
    .some(
      (action) =>
        action.state === 'succeeded' &&
        action.intendedAt >= since &&
        action.tool === proposed.tool &&
        action.by === byOf(diagnosis) &&
        Object.entries(proposed.arguments).every(
          ([name, value]) => JSON.stringify(action.arguments[name]) === JSON.stringify(value),
        ),
    );
}

/** `runbook process-down`, `memory #12`, `model qwen3.5:9b`, `person`. */
export function byOf(diagnosis: Diagnosis, options?: Pick<AttemptOptions, 'byHand'>): string {
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

async function alertIf(parts: AgentParts, incident: Incident, when: string, context: ToolContext): Promise<StepResult> {
  const { facts } = await gatherFacts({ incident, context });
  const expression = await compileExpression(when);
  if (expression.ok && expression.value.evaluate(facts) === true) {
    const text = `still so after what was done: ${when}`;
    parts.record(incident.id, { type: 'note', text, data: { alert: true, facts } });
    return { outcome: 'failed', summary: text };
  }
  return { outcome: 'done', summary: '' };
}
