import { describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../src/agent/events.ts';
import { runAgent } from '../../src/agent/loop.ts';
import type { ModelEvent, ModelRequest } from '../../src/models/provider.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { answerWith, loopTool, runOptions, unbalanced } from '../support/run-loop.ts';

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A model that does anything a model may do, and some of what it may not. */
function wildModel(random: () => number, seen: ModelRequest[]) {
  return {
    name: 'wild',
    contextTokens: 4096,
    async *stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
      seen.push({ ...request, messages: [...request.messages] });
      const usage = { inputTokens: 50, outputTokens: 5, cost: random() < 0.1 ? null : 0 };
      if (random() < 0.3) yield { type: 'thinking-delta', text: 'hm' };
      if (random() < 0.3) yield { type: 'text-delta', text: 'so' };
      if (random() < 0.1) yield { type: 'provider-failed', provider: 'other', failure: 'unreachable', message: 'gone' };
      const dice = random();
      if (dice < 0.03) throw new Error('a bug in a provider');
      if (dice < 0.06) return;
      if (dice < 0.1 || signal.aborted) {
        const failure = signal.aborted ? ('cancelled' as const) : ('no-model' as const);
        return yield {
          type: 'answer',
          answer: { ok: false, provider: 'wild', model: 'wild', failure, message: 'no', usage },
        };
      }
      const names = ['look', 'look', 'look', 'act', 'fail', 'throw', 'hang', 'nothing_like_it', 'read_again'];
      const calls = Array.from({ length: dice < 0.8 ? Math.floor(random() * 4) : 0 }, () => ({
        id: random() < 0.5 ? '' : `id${Math.floor(random() * 4)}`,
        name: names[Math.floor(random() * names.length)] ?? 'look',
        arguments: random() < 0.2 ? 'not json' : { n: Math.floor(random() * 5), id: 'r1' },
      }));
      const content = random() < 0.5 ? answerWith('a line', 'r1') : '';
      yield { type: 'answer', answer: { ok: true, provider: 'wild', model: 'wild', content, calls, usage } };
    },
  };
}

describe('whatever a model, a tool or a reader does', () => {
  it('each start has exactly one end, every call one result, and nothing is left running', async () => {
    const ends = new Map<string, number>();
    for (let seed = 1; seed <= 400; seed += 1) {
      const random = randomFrom(seed);
      const clock = new ManualClock();
      const stop = new AbortController();
      const seen: ModelRequest[] = [];
      let hanging = 0;
      const tools = [
        loopTool('look', 'a line\n'.repeat(200)),
        loopTool('act', 'done', { acts: true }),
        loopTool('fail', '', { run: async () => ({ ok: false, content: 'no' }) }),
        loopTool('throw', () => {
          throw new Error('thrown');
        }),
        loopTool('hang', (_, signal) => {
          hanging += 1;
          signal.addEventListener('abort', () => {
            hanging -= 1;
          });
          if (random() < 0.5) setImmediate(() => stop.abort());
          else setImmediate(() => void clock.advance(70_000));
          return new Promise<string>(() => undefined);
        }),
      ];
      const heard: AgentEvent[] = [];
      const read: AgentEvent[] = [];
      const options = runOptions(wildModel(random, seen), tools, {
        clock,
        signal: stop.signal,
        listen: (event) => heard.push(event),
      });
      const leaveAt = random() < 0.4 ? Math.floor(random() * 12) : -1;
      const abortAt = random() < 0.3 ? Math.floor(random() * 12) : -1;
      for await (const event of runAgent({
        ...options,
        limits: { ...options.limits, contextTokens: 4096, maxOutputTokens: 500 },
      })) {
        read.push(event);
        if (read.length === abortAt) stop.abort();
        if (read.length === leaveAt) break;
      }

      const about = `seed ${seed}: ${heard.map((event) => event.type).join(' ')}`;
      expect(unbalanced(heard), about).toEqual([]);
      expect(
        heard.filter((event) => event.type === 'run-end'),
        about,
      ).toHaveLength(heard.length > 0 ? 1 : 0);
      expect(heard.slice(0, read.length), about).toEqual(read);
      expect(hanging, about).toBe(0);
      expect(clock.sleeping, about).toBe(0);
      for (const request of seen) {
        const calls = request.messages.flatMap((each) =>
          each.role === 'assistant' ? each.calls.map((call) => call.id) : [],
        );
        const answered = request.messages.flatMap((each) => (each.role === 'tool' ? [each.callId] : []));
        expect(answered, about).toEqual(calls);
        expect(new Set(calls).size, about).toBe(calls.length);
      }
      const last = heard.at(-1);
      if (last?.type === 'run-end') ends.set(last.end, (ends.get(last.end) ?? 0) + 1);
    }
    // The dice must have reached every way to end that has no test of its own here.
    expect([...ends.keys()].sort()).toEqual(
      expect.arrayContaining(['answered', 'cancelled', 'model-failed', 'out-of-time']),
    );
  });
});
