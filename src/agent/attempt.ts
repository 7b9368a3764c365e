import type { ActionRecord, ActionResult, Diagnosis, Incident, PlanStep } from '../incidents/incident.ts';
import { compileExpression } from '../runbooks/expression.ts';
import { gatherFacts } from '../runbooks/facts.ts';
import { type Attempt, type AttemptOptions, act, byOf, STOPPED, type StepResult } from './act.ts';
import type { AgentParts } from './parts.ts';
import { incidentChecks, scopeOf } from './scope.ts';

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
      return act(attempt, step.action);
    case 'wait':
      await parts.clock.sleep(step.milliseconds, options.signal);
      return { outcome: 'done', summary: '' };
    case 'verify':
      return verify(parts, incident, step.checks, options.signal);
    case 'alert':
      return alertIf(attempt, step.when);
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
