import { type BuildContext, compileAt, noteIssues, noteSlots } from './build-notes.ts';
import { knownKeys, runbookSchema } from './format.ts';
import type { Expression, Runbook, RunbookStep } from './runbook.ts';
import { buildStep } from './step.ts';

/** Makes a runbook of what was written, or tells of every mistake in it and returns null. */
export async function buildRunbook(written: unknown, context: BuildContext): Promise<Runbook | null> {
  const parsed = runbookSchema.safeParse(written);
  if (!parsed.success) {
    noteIssues(parsed.error.issues, context, context.path, knownKeys);
    return null;
  }
  let sound = true;
  const inner: BuildContext = {
    ...context,
    note: (message, place, severity = 'error') => {
      if (severity === 'error') sound = false;
      context.note(message, place, severity);
    },
  };
  const issue = parsed.data;
  // A misspelt symptom never holds, which is safe; a misspelt refutation would never refute.
  const symptoms = await compileAll(issue.symptoms, 'symptoms', inner, 'warning');
  const unless = await compileAll(issue.unless, 'unless', inner, 'error');
  for (const key of ['because', 'advice'] as const)
    noteSlots(issue[key] ?? '', [...context.path, key], inner, 'warning');
  const steps: RunbookStep[] = [];
  for (const [index, step] of issue.auto_resolve.entries()) {
    const id = `${issue.name}#${steps.filter((each) => each.kind === 'command').length + 1}`;
    const built = await buildStep(step, id, symptoms, { ...inner, path: [...context.path, 'auto_resolve', index] });
    if (built) steps.push(built);
  }
  if (!sound) return null;
  return {
    name: issue.name,
    file: context.file,
    shipped: context.shipped,
    cause: issue.cause ?? slug(issue.name),
    because: issue.because ?? issue.name,
    symptoms,
    unless,
    steps,
    advice: issue.advice ?? null,
    priority: issue.priority,
    leaveAlone: issue.leave_alone,
  };
}

async function compileAll(
  texts: string[],
  key: string,
  context: BuildContext,
  unknownIs: 'error' | 'warning',
): Promise<Expression[]> {
  const expressions: Expression[] = [];
  for (const [index, text] of texts.entries()) {
    const compiled = await compileAt(text, [...context.path, key, index], context, unknownIs);
    if (compiled) expressions.push(compiled);
  }
  return expressions;
}

const slug = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '') || 'known-problem';
