import { z } from 'zod';

/** Acting tools a step may call by a word of its own, as in `restart: "{service}"`. */
export const stepWords = {
  start: 'start_service',
  stop: 'stop_service',
  restart: 'restart_service',
  reload: 'reload_service',
  continue: 'continue_process',
  rotate_log: 'rotate_log',
  clear: 'clear_directory',
  restore_file: 'restore_file',
  activate_release: 'activate_release',
  end_idle_sessions: 'end_idle_sessions',
} as const;

/** The acting tools a runbook may call at all. */
export const stepTools = [...Object.values(stepWords), 'end_process', 'run_command'] as const;

const text = z.string().min(1, 'a text was expected');
const argument = z.union([z.string(), z.number(), z.boolean()]);

/** A step as written: exactly one of these keys (or of `stepWords`) says what it is. */
export const stepShapes = {
  command: z.strictObject({ command: text }),
  wait: z.strictObject({
    wait: z.union([z.number().min(0), text], 'seconds (30) or a duration (30s, 2m) was expected'),
  }),
  verify: z.strictObject({
    verify: z.union([text, z.array(text).min(1)], 'a check, or words that name one, was expected'),
  }),
  alert_if: z.strictObject({ alert_if: text }),
  tool: z.strictObject({
    tool: z.enum(stepTools, `one of ${stepTools.join(', ')} was expected`),
    with: z.record(z.string(), argument).default({}),
    because: text.optional(),
  }),
} as const;

/** `restart: "{service}"`. */
export const shortStep = (word: string) => z.strictObject({ [word]: text });

export const stepKinds: readonly string[] = [...Object.keys(stepShapes), ...Object.keys(stepWords)];

const runbookKeys = {
  name: text.describe('what people call the problem'),
  symptoms: z.array(text).min(1, 'at least one symptom was expected').describe('expressions over facts; all must hold'),
  unless: z.array(text).default([]).describe('expressions over facts that refute it; none may hold'),
  cause: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'a short id such as process-down was expected')
    .optional()
    .describe('a short id of the mechanism; default: from the name'),
  because: text.optional().describe('what is behind it, in a sentence; {fact} is filled in'),
  advice: text.optional().describe('what a person should do afterwards, or if it does not help; {fact} is filled in'),
  priority: z.int().min(-1000).max(1000).default(0).describe('higher goes first among those that match'),
  leave_alone: z
    .boolean()
    .default(false)
    .describe('do nothing before the time the service has for starting or recovering (starts_within) has passed'),
  auto_resolve: z.array(z.unknown()).default([]).describe('what to do, in order'),
};

export const runbookSchema = z.strictObject(runbookKeys);
export const knownKeys: readonly string[] = Object.keys(runbookKeys);
