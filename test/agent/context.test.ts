import { describe, expect, it } from 'vitest';
import { createContext } from '../../src/agent/context.ts';

const question = { role: 'user' as const, content: 'Why is api down?' };
const options = {
  system: 'You look after machines.',
  tools: [],
  opening: [question],
  contextTokens: 4096,
  maxOutputTokens: 512,
};
const turn = (n: number, results: number) => ({
  role: 'assistant' as const,
  content: `turn ${n}`,
  calls: Array.from({ length: results }, (_, index) => ({
    id: `${n}-${index}`,
    name: 'logs',
    arguments: { n, index },
  })),
  thinking: 'hm '.repeat(50),
});

describe('the context', () => {
  it('fits however many turns there are, and drops a call and its results only together', () => {
    const context = createContext(options);
    for (let n = 0; n < 500; n += 1) {
      const results = 1 + (n % 4);
      context.add(turn(n, results));
      for (let index = 0; index < results; index += 1) {
        const content = `result ${n}-${index} ${'x'.repeat(300)}`;
        context.add({ role: 'tool', callId: `${n}-${index}`, name: 'logs', content, failed: false }, `[r${n}] logs`);
      }
      const sent = context.fitted();
      expect(context.tokens()).toBeLessThan(4096 - 512);
      expect(JSON.stringify(sent).length / 4).toBeLessThan(4096 - 512);
      const asked = sent.flatMap((each) => (each.role === 'assistant' ? each.calls.map((call) => call.id) : []));
      expect(sent.flatMap((each) => (each.role === 'tool' ? [each.callId] : []))).toEqual(asked);
      expect(sent[0]?.content).toContain(question.content);
      expect(sent.at(-1)?.content, 'the newest is whole').toContain(`result ${n}-${results - 1} xxx`);
    }
    expect(context.fitted()[0]?.content).toMatch(/\d+ earlier turns are left out/);
  });

  it('sends the same beginning again until it must make room, so that a server can keep what it has read', () => {
    const context = createContext(options);
    let rewritten = 0;
    let before: readonly unknown[] = [];
    for (let n = 0; n < 100; n += 1) {
      context.add(turn(n, 1));
      context.add(
        { role: 'tool', callId: `${n}-0`, name: 'logs', content: 'y'.repeat(300), failed: false },
        '[r] logs',
      );
      const sent = context.fitted();
      if (before.some((message, index) => sent[index] !== message)) rewritten += 1;
      before = sent;
    }
    expect(rewritten).toBeGreaterThan(2);
    expect(rewritten).toBeLessThan(40);
  });

  it('cuts the middle of a question or of a turn that is too long by itself', () => {
    const long = { role: 'user' as const, content: `BEGIN ${'z'.repeat(100_000)} END` };
    const context = createContext({
      ...options,
      opening: [{ role: 'user', content: 'before' }, { role: 'assistant', content: 'b', calls: [] }, long],
    });
    context.add(turn(1, 1));
    context.add({
      role: 'tool',
      callId: '1-0',
      name: 'logs',
      content: `FIRST ${'q'.repeat(50_000)} LAST`,
      failed: false,
    });
    const sent = context.fitted();
    expect(context.tokens()).toBeLessThan(4096 - 512);
    expect(sent[0]?.content).toMatch(/^BEGIN .*characters left out.* END$/s);
    expect(sent.at(-1)?.content).toMatch(/^FIRST .*characters left out.* LAST$/s);
  });
});
