import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/outcome.ts';
import type { ModelMessage, ToolCall } from '../models/provider.ts';
import type { Fence } from './fence.ts';
import { neutralise } from './fence.ts';
import type { RepeatWatch } from './repeats.ts';
import { READ_AGAIN, type Results } from './results.ts';
import type { LoopTool, LoopToolResult } from './run.ts';
import { nearest } from './words.ts';

/** What a call led to, as the model will read it. */
interface Done {
  call: ToolCall;
  message: ModelMessage;
  /** What may stand in its place later. */
  brief?: string;
}

type CallEvent =
  | { type: 'tool-start'; call: string; tool: string; arguments: unknown; title: string }
  | {
      type: 'tool-end';
      call: string;
      tool: string;
      ok: boolean;
      result: string;
      content: string;
      durationMs: number;
    };

interface CallsOptions {
  tools: readonly LoopTool[];
  results: Results;
  repeats: RepeatWatch;
  fence: Fence;
  clock: Clock;
  signal: AbortSignal;
}

interface Ready {
  call: ToolCall;
  tool: LoopTool;
  value: unknown;
  title: string;
}

/**
 * Runs one turn's calls: each checked, the same call only once, reads side by side, actions one at a time and alone, in the
 * order they were made. Every call gets exactly one message, whatever happens, for a call without one spoils a conversation.
 */
export async function* runCalls(calls: readonly ToolCall[], options: CallsOptions): AsyncGenerator<CallEvent, Done[]> {
  const done = new Map<ToolCall, Done>();
  const first = new Map<string, ToolCall>();
  let batch: Ready[] = [];
  for (const call of calls) {
    const key = keyOf(call);
    const same = first.get(key);
    if (same) {
      done.set(call, told(call, 'The same call stands above in this turn; its result counts for both.', false));
      continue;
    }
    first.set(key, call);
    const checked = check(call, options.tools);
    if (!('tool' in checked)) {
      options.repeats.note(key, false);
      done.set(call, told(call, checked.problem, true));
      continue;
    }
    if (!checked.tool.acts) {
      batch.push(checked);
      continue;
    }
    yield* runTogether(batch, options, done);
    batch = [];
    yield* runTogether([checked], options, done);
  }
  yield* runTogether(batch, options, done);
  return calls.flatMap((call) => done.get(call) ?? []);
}

function check(call: ToolCall, tools: readonly LoopTool[]): Ready | { problem: string } {
  const tool = tools.find((each) => each.name === call.name);
  if (!tool) {
    const names = tools.map((each) => each.name);
    const near = nearest(call.name, names);
    const hint = near ? `Did you mean ${near}? ` : '';
    return {
      problem: `There is no tool called "${neutralise(call.name).slice(0, 60)}". ${hint}The tools are: ${names.join(', ')}.`,
    };
  }
  const checked = tool.check(call.arguments);
  if (!checked.ok) return { problem: checked.message };
  return { call, tool, value: checked.value, title: checked.title };
}

/** Starts all of them, and says of each when it ends. An abort ends those that do not end by themselves. */
async function* runTogether(
  ready: readonly Ready[],
  options: CallsOptions,
  done: Map<ToolCall, Done>,
): AsyncGenerator<CallEvent> {
  if (ready.length === 0) return;
  const begun = options.clock.now();
  const ids = new Map<ToolCall, string>();
  for (const { call, tool, value, title } of ready) {
    if (tool.name !== READ_AGAIN) ids.set(call, options.results.take());
    yield { type: 'tool-start', call: call.id, tool: tool.name, arguments: value, title };
  }
  const running = new Map(ready.map((each) => [each, run(each, options.signal).then((result) => ({ each, result }))]));
  while (running.size > 0) {
    const { each, result } = await Promise.race(running.values());
    running.delete(each);
    const { call, tool } = each;
    options.repeats.note(keyOf(call), result.ok);
    if (tool.acts && result.ok) options.repeats.acted(keyOf(call));
    const title = result.title ?? each.title;
    const known = result.shown === undefined ? undefined : options.results.records.get(result.result ?? '');
    const record = known ?? options.results.add({ id: ids.get(call), tool: tool.name, title, content: result.content });
    const shown = result.shown ?? options.results.show(record.id);
    const content = `[${record.id}] ${result.ok ? '' : 'FAILED '}${options.fence.wrap(title, shown)}`;
    done.set(call, {
      call,
      message: { role: 'tool', callId: call.id, name: call.name, content, failed: !result.ok },
      brief: options.results.brief(record.id, result.ok),
    });
    yield {
      type: 'tool-end',
      call: call.id,
      tool: tool.name,
      ok: result.ok,
      result: record.id,
      content: shown,
      durationMs: options.clock.now() - begun,
    };
  }
}

async function run({ tool, value }: Ready, signal: AbortSignal): Promise<LoopToolResult> {
  if (signal.aborted) return { ok: false, content: 'The run was stopped before this began.' };
  // A tool that throws at once is a failed call like one that rejects.
  const result = (async () => tool.run(value, signal))().catch((error) => ({
    ok: false,
    content: `${tool.name} broke off: ${messageOf(error)}`,
  }));
  // An action that has begun is waited for: its own time limit ends it, and nobody may think that it did not happen.
  if (tool.acts) return result;
  let stop: () => void = () => undefined;
  const stopped = new Promise<LoopToolResult>((resolve) => {
    stop = () => resolve({ ok: false, content: 'It was stopped before it ended.' });
    signal.addEventListener('abort', stop, { once: true });
  });
  const ended = await Promise.race([result, stopped]);
  signal.removeEventListener('abort', stop);
  return ended;
}

const told = (call: ToolCall, content: string, failed: boolean): Done => ({
  call,
  message: { role: 'tool', callId: call.id, name: call.name, content, failed },
});

/** The same call is the same name with the same arguments, in whatever order they stand. */
const keyOf = (call: Pick<ToolCall, 'name' | 'arguments'>): string => `${call.name}(${ordered(call.arguments)})`;

function ordered(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(ordered).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? '';
  return `{${Object.entries(value)
    .filter(([, each]) => each !== undefined && each !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, each]) => `${name}:${ordered(each)}`)
    .join(',')}}`;
}

/**
 * A call that a model wrote as text instead of making it, as small models do: recovered only when the whole text is one known
 * call as JSON, so that a call quoted from a log is never taken for the model's own.
 */
export function callInText(content: string, tools: readonly { name: string }[], id: string): ToolCall | null {
  const text = content
    .trim()
    .replace(/^<tool_call>([\s\S]*)<\/tool_call>$/i, '$1')
    .replace(/^```(?:json|tool_call)?\s*([\s\S]*?)\s*```$/, '$1')
    .trim();
  if (!text.startsWith('{') || !text.endsWith('}')) return null;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null) return null;
    const call =
      'function' in parsed && typeof parsed.function === 'object' && parsed.function ? parsed.function : parsed;
    if (!('name' in call) || typeof call.name !== 'string') return null;
    if (!tools.some((tool) => tool.name === call.name)) return null;
    const given = 'arguments' in call ? call.arguments : 'parameters' in call ? call.parameters : {};
    return { id, name: call.name, arguments: given };
  } catch {
    return null;
  }
}

/** Gives every call an id that no other call of the conversation has; a good one stays as it is. */
export function withIds(calls: readonly ToolCall[], taken: Set<string>, step: number): ToolCall[] {
  return calls.map((call, index) => {
    let id = call.id;
    for (let turn = 0; id === '' || taken.has(id); turn += 1)
      id = `call_${step}_${index}${turn === 0 ? '' : `_${turn}`}`;
    taken.add(id);
    return id === call.id ? call : { ...call, id };
  });
}
