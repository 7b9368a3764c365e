import type { AgentEvent } from '../../src/agent/events.ts';
import { runAgent } from '../../src/agent/loop.ts';
import type { LoopModel, LoopTool, RunOptions, RunResult } from '../../src/agent/run.ts';
import { ManualClock } from './manual-clock.ts';

/** A tool of the loop that answers with a text, or with what a function says. */
export function loopTool(
  name: string,
  answer: string | ((value: unknown, signal: AbortSignal) => string | Promise<string>) = 'fine',
  more: Partial<LoopTool> = {},
): LoopTool {
  return {
    name,
    description: `${name} for tests`,
    parameters: { type: 'object', properties: { service: { type: 'string' } } },
    acts: false,
    check: (given) => ({ ok: true, value: given, title: `${name}(${JSON.stringify(given)})` }),
    run: async (value, signal) => ({
      ok: true,
      content: typeof answer === 'string' ? answer : await answer(value, signal),
    }),
    ...more,
  };
}

export const answerWith = (quote: string, source = 'r1'): string =>
  `CAUSE: process-down: it is gone\nOBJECT: cache\nCONFIDENCE: 0.9\nEVIDENCE: [${source}] "${quote}"\nNOT CHECKED: nothing\nNEXT: nothing`;

export function runOptions(model: LoopModel, tools: LoopTool[], more: Partial<RunOptions> = {}): RunOptions {
  return {
    run: 'run-1',
    purpose: 'triage',
    system: 'You look after machines.',
    question: 'Why is api down?',
    model,
    tools,
    limits: { steps: 10, milliseconds: 60_000, tokens: 100_000, contextTokens: 16_384, maxOutputTokens: 1024 },
    clock: new ManualClock(),
    signal: new AbortController().signal,
    ...more,
  };
}

/** Reads a run to its end: its events and its result. */
export async function readRun(options: RunOptions): Promise<{ events: AgentEvent[]; result: RunResult }> {
  const events: AgentEvent[] = [];
  const running = runAgent(options);
  for (;;) {
    const next = await running.next();
    if (next.done) return { events, result: next.value };
    events.push(next.value);
  }
}

/** What is wrong with the starts and ends of some events; empty when each start has exactly one end, inside its run. */
export function unbalanced(events: readonly AgentEvent[]): string[] {
  const problems: string[] = [];
  const open = new Set<string>();
  const ever = new Set<string>();
  for (const event of events) {
    const key = 'call' in event ? `tool ${event.call}` : 'step' in event ? `model ${event.step}` : 'run';
    if (event.type.endsWith('-start')) {
      if (ever.has(key)) problems.push(`${key} started twice`);
      if (key !== 'run' && !open.has('run')) problems.push(`${key} started outside the run`);
      open.add(key);
      ever.add(key);
    } else if (event.type.endsWith('-end')) {
      if (!open.delete(key)) problems.push(`${key} ended without being open`);
      if (key === 'run' && open.size > 0) problems.push(`the run ended while ${[...open].join(', ')} was open`);
    }
  }
  for (const key of open) problems.push(`${key} never ended`);
  return problems;
}
