import { describe, expect, it } from 'vitest';
import { refuseMonstrous } from '../../src/models/call-limits.ts';
import { guardOutgoing } from '../../src/models/outgoing.ts';
import type { ModelAnswer, ModelEvent, ToolCall } from '../../src/models/provider.ts';
import { noUsage } from '../../src/models/usage.ts';

const answer = (calls: ToolCall[]): ModelAnswer => ({
  ok: true,
  provider: 'ollama x',
  model: 'x',
  content: '',
  calls,
  usage: noUsage,
});
const call = (given: unknown): ToolCall => ({ id: 'c1', name: 'read_logs', arguments: given });

describe('an answer of a hostile model', () => {
  it('with arguments nested so deep that they would end the stack is malformed', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`);
    expect(refuseMonstrous(answer([call(deep)]))).toMatchObject({ ok: false, failure: 'malformed' });
  });

  it('with a hundred calls at once is malformed', () => {
    const calls = Array.from({ length: 100 }, (_, index) => call({ service: `s${index}` }));
    expect(refuseMonstrous(answer(calls))).toMatchObject({ ok: false, failure: 'malformed' });
  });

  it('with a huge text or endless lists as an argument is malformed', () => {
    expect(refuseMonstrous(answer([call({ service: 'x'.repeat(1e6) })])).ok).toBe(false);
    expect(refuseMonstrous(answer([call({ list: Array(100_000).fill(0) })])).ok).toBe(false);
  });

  it('with sound calls passes as it is', () => {
    const sound = answer([call({ service: 'api', since: '10m' }), call('{"service":"api"}')]);
    expect(refuseMonstrous(sound)).toBe(sound);
  });
});

describe('terminal sequences in what a model says', () => {
  it('reach nobody, in the stream or in the answer, also when they are cut in two', async () => {
    const said: ModelEvent[] = [
      { type: 'text-delta', text: 'ok\u001b[2' },
      { type: 'text-delta', text: 'J\u001b]0;x\u0007A7' },
      { type: 'answer', answer: { ...answer([]), content: 'ok\u001b[2J\u001b]52;c;eA==\u0007A7' } as ModelAnswer },
    ];
    const provider = guardOutgoing(
      {
        name: 'x',
        model: 'x',
        local: true,
        contextTokens: 8192,
        async *stream() {
          yield* said;
        },
        probe: async () => ({ ready: true, message: '' }),
      },
      { redact: (text) => text, keepSent: () => undefined },
    );
    const heard: ModelEvent[] = [];
    const asked = { system: '', messages: [], tools: [], maxOutputTokens: 10 };
    for await (const event of provider.stream(asked, new AbortController().signal)) heard.push(event);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    expect(JSON.stringify(heard)).not.toMatch(/\\u00[0189]|[\u0000-\u001f]/);
    expect(heard.at(-1)).toMatchObject({ answer: { content: 'okA7' } });
  });
});
