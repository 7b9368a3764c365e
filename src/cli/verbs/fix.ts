import { actionTitle } from '../../incidents/action-title.ts';
import type { Diagnosis, PlanStep, TimelineEntry } from '../../incidents/incident.ts';
import { inventoryFor } from '../inventory.ts';
import { diagnosisJson } from '../json.ts';
import { field, shorten, span } from '../terminal.ts';
import { prepareStore, requireService, type Verb } from '../verb.ts';

/** What a person sees while it works; the rest stands in the timeline. */
const LABELS: Partial<Record<TimelineEntry['type'], string>> = {
  plan: 'why',
  model: 'model',
  waiting: 'waits',
  'action-start': 'act',
  'action-end': 'done',
  refused: 'refused',
  asked: 'asks',
  verify: 'verify',
  holding: 'verify',
  'not-held': 'not held',
  escalated: 'handed over',
};

/** By hand what the loop would do: measure, diagnose, act, prove. `--dry-run` stops before the act and records nothing. */
const fix: Verb = async (context) => {
  const { terminal, options } = context;
  const [service = '', ...issue] = context.arguments;
  const config = await inventoryFor(context);
  await requireService(config, service);
  await prepareStore(context, config);
  const { fixByHand } = await import('../../app.ts');
  const dryRun = options.dryRun === true;
  const say = (label: string, text: string) => (options.json ? undefined : field(terminal, label, text, 12));
  const fixed = await fixByHand({
    config,
    surroundings: context,
    service,
    issue: issue.join(' ').trim(),
    dryRun,
    onTimeline: ({ type, text, data }) => {
      const label = LABELS[type];
      if (label) say(type === 'action-end' && data.ok === false ? 'failed' : label, shorten(text, 300));
    },
    onDiagnosis: (diagnosis) => sayDiagnosis(diagnosis, dryRun, say),
  });
  if (options.json) {
    const { ok, incident, state, diagnosis, summary } = fixed;
    const report = {
      ok,
      dry_run: dryRun,
      incident_id: incident,
      state,
      diagnosis: diagnosis && diagnosisJson(diagnosis),
      summary,
    };
    terminal.line(JSON.stringify(report, null, 2));
  } else say('result', fixed.summary);
  return fixed.ok ? 0 : 1;
};
export default fix;

function sayDiagnosis(diagnosis: Diagnosis, dryRun: boolean, say: (label: string, text: string) => void): void {
  const { source, sourceName } = diagnosis;
  say(
    'cause',
    source === 'none'
      ? diagnosis.rootCause
      : `${diagnosis.rootCause}  (${source}${sourceName ? ` ${sourceName}` : ''})`,
  );
  for (const [index, item] of diagnosis.evidence.slice(0, 5).entries())
    say(index === 0 ? 'evidence' : '', `${item.title}  "${shorten(item.quote, 120)}"`);
  for (const [index, step] of diagnosis.plan.entries())
    say(index > 0 ? '' : dryRun ? 'would' : 'plan', stepWords(step));
  if (diagnosis.plan.length === 0) say('advice', diagnosis.advice ?? 'nothing: the evidence is not enough');
}

function stepWords(step: PlanStep): string {
  switch (step.kind) {
    case 'action':
      return actionTitle(step.action);
    case 'wait':
      return `wait ${span(step.milliseconds)}`;
    case 'verify':
      return `verify ${step.checks.join(', ')}`;
    case 'alert':
      return `tell a person if ${step.when}`;
  }
}
