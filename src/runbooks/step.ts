import { z } from 'zod';
import { nearest } from '../config/nearest.ts';
import { parseDuration } from '../config/units.ts';
import { type BuildContext, compileAt, noteIssues, noteSlots } from './build-notes.ts';
import { parseCommand } from './command-words.ts';
import { shortStep, stepKinds, stepShapes, stepWords } from './format.ts';
import type { Expression, RunbookStep } from './runbook.ts';
import { resolveVerify } from './verify-words.ts';

/** The longest a runbook may wait in one step. */
const LONGEST_WAIT_MS = 3_600_000;

/** Makes one step of what was written, or tells of the mistake in it and returns null. */
export async function buildStep(
  written: unknown,
  id: string,
  symptoms: readonly Expression[],
  context: BuildContext,
): Promise<RunbookStep | null> {
  const keys = z.record(z.string(), z.unknown()).safeParse(written);
  const kind = keys.success ? Object.keys(keys.data).find((key) => stepKinds.includes(key)) : undefined;
  if (kind === undefined) {
    const first = keys.success ? Object.keys(keys.data)[0] : undefined;
    const near = first === undefined ? null : nearest(first, stepKinds);
    context.note(
      `a step was expected: one of ${stepKinds.join(', ')}${near ? `; did you mean ${near}?` : ''}`,
      context.source.valuePlace(context.path),
    );
    return null;
  }
  return steps[kind]?.(written, { ...context, id, symptoms }) ?? shortAction(kind, written, context);
}

type StepContext = BuildContext & { id: string; symptoms: readonly Expression[] };

/** One builder for each kind of step; all of them tell of mistakes at the step's own place. */
const steps: Record<string, (written: unknown, context: StepContext) => Promise<RunbookStep | null>> = {
  async command(written, context) {
    const step = shaped(stepShapes.command, written, context);
    if (!step) return null;
    const command = parseCommand(step.command, context.config);
    if (command.ok) return { kind: 'command', command: { id: context.id, ...command.value, text: step.command } };
    context.note(command.error, context.source.valuePlace([...context.path, 'command']));
    return null;
  },

  async wait(written, context) {
    const step = shaped(stepShapes.wait, written, context);
    if (!step) return null;
    const milliseconds = typeof step.wait === 'number' ? step.wait * 1000 : waitOf(step.wait);
    if (milliseconds !== null && milliseconds <= LONGEST_WAIT_MS) return { kind: 'wait', milliseconds };
    context.note(
      'seconds (30) or a duration (30s, 2m) of an hour at the most was expected',
      context.source.valuePlace([...context.path, 'wait']),
    );
    return null;
  },

  async verify(written, context) {
    const step = shaped(stepShapes.verify, written, context);
    return step ? verifyStep(step.verify, context.symptoms, context) : null;
  },

  async alert_if(written, context) {
    const step = shaped(stepShapes.alert_if, written, context);
    if (!step) return null;
    // An alert that can never be true is silence where a person was promised a word.
    const compiled = await compileAt(step.alert_if, [...context.path, 'alert_if'], context, 'error');
    return compiled ? { kind: 'alert', when: step.alert_if } : null;
  },

  async tool(written, context) {
    const step = shaped(stepShapes.tool, written, context);
    return step ? actionStep(step.tool, step.with, step.because ?? '', context) : null;
  },
};

function shortAction(kind: string, written: unknown, context: BuildContext): RunbookStep | null {
  const word = stepWordNames.find((each) => each === kind);
  const step = shaped(shortStep(kind), written, context);
  const service = step?.[kind];
  return word && service !== undefined ? actionStep(stepWords[word], { service }, '', context) : null;
}

const stepWordNames = Object.keys(stepWords).filter((word): word is keyof typeof stepWords => word in stepWords);

function shaped<Shape extends z.ZodType>(
  shape: Shape,
  written: unknown,
  context: BuildContext,
): z.output<Shape> | null {
  const parsed = shape.safeParse(written);
  if (parsed.success) return parsed.data;
  noteIssues(parsed.error.issues, context, context.path);
  return null;
}

const waitOf = (text: string): number | null =>
  /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) * 1000 : parseDuration(text);

function verifyStep(
  written: string | string[],
  symptoms: readonly Expression[],
  context: BuildContext,
): RunbookStep | null {
  const checks: string[] = [];
  const many = Array.isArray(written);
  for (const [index, text] of (many ? written : [written]).entries()) {
    const resolved = resolveVerify(text, context.config, symptoms);
    if (!resolved.ok) {
      context.note(resolved.error, context.source.valuePlace([...context.path, 'verify', ...(many ? [index] : [])]));
      return null;
    }
    checks.push(...resolved.value);
  }
  return { kind: 'verify', checks: [...new Set(checks)] };
}

/** An acting tool's call. What it names must be of the inventory, or a fact that will be when it is measured. */
function actionStep(
  tool: string,
  args: Record<string, string | number | boolean>,
  reason: string,
  context: BuildContext,
): RunbookStep | null {
  const service = args.service;
  if (typeof service === 'string' && !service.includes('{') && !context.config.services.has(service)) {
    const near = nearest(service, [...context.config.services.keys()]);
    context.note(
      `there is no service ${service}${near ? `; did you mean ${near}?` : ''}`,
      context.source.valuePlace(context.path),
    );
    return null;
  }
  for (const [name, value] of Object.entries(args))
    noteSlots(String(value), [...context.path, 'with', name], context, 'error');
  return { kind: 'action', action: { tool, arguments: { service: '{service}', ...args }, reason } };
}
