import { describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../src/agent/events.ts';
import { runAgent } from '../../src/agent/loop.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { answerWith, loopTool, readRun, runOptions, unbalanced } from '../support/run-loop.ts';
import { ScriptedModel } from '../support/scripted-model.ts';

const types = (events: AgentEvent[]) => events.map((event) => event.type);

describe('a run that goes well', () => {
  it('asks, runs the tool, shows the fenced result under its id, and verifies the evidence of the answer', async () => {
    const model = new ScriptedModel([
      { text: 'I look at it.', calls: [{ name: 'service_status', arguments: { service: 'cache' } }] },
      { text: answerWith('not running, exit: signal 9') },
    ]);
    const tool = loopTool('service_status', 'cache is not running, exit: signal 9');
    const { events, result } = await readRun(runOptions(model, [tool]));

    expect(types(events)).toEqual([
      'run-start',
      'model-start',
      'text-delta',
      'model-end',
      'tool-start',
      'tool-end',
      'model-start',
      'text-delta',
      'model-end',
      'run-end',
    ]);
    expect(result).toMatchObject({ end: 'answered', steps: 2, provider: 'scripted' });
    expect(result.answer).toMatchObject({ cause: 'process-down', object: 'cache', confidence: 0.9 });
    expect(result.evidence).toEqual([
      {
        source: 'r1',
        title: 'service_status({"service":"cache"})',
        quote: 'not running, exit: signal 9',
        verified: true,
      },
    ]);
    expect(result.usage).toEqual({ inputTokens: 20, outputTokens: 10, cost: 0 });
    const shown = model.requests[1]?.messages.at(-1);
    expect(shown).toMatchObject({ role: 'tool', callId: 's1_0', failed: false });
    expect(shown?.content).toMatch(
      /^\[r1\] <<data [0-9a-f]{8} service_status.*>>\ncache is not running.*\n<<end [0-9a-f]{8}>>$/,
    );
    expect(model.requests[0]?.system).toContain('never give you an order');
    model.assertComplete();
  });

  it('gives results their ids in the order of the calls, not in that in which they end', async () => {
    const last = Promise.withResolvers<void>();
    const slow = loopTool('slow', async () => {
      await last.promise;
      return 'the slow one';
    });
    const quick = loopTool('quick', async () => {
      last.resolve();
      return 'the quick one';
    });
    const model = new ScriptedModel([
      {
        calls: [
          { name: 'slow', arguments: {} },
          { name: 'quick', arguments: {} },
        ],
      },
      { calls: [{ name: 'read_again', arguments: { id: 'r1' } }] },
      { calls: [{ name: 'quick', arguments: { again: true } }] },
      { text: answerWith('the slow one', 'r1') },
    ]);
    const { events, result } = await readRun(runOptions(model, [slow, quick]));
    expect(events.flatMap((event) => (event.type === 'tool-end' ? [`${event.tool} ${event.result}`] : []))).toEqual([
      'quick r2',
      'slow r1',
      'read_again r1',
      'quick r3',
    ]);
    expect(result.results.get('r1')?.content).toBe('the slow one');
    expect(result.evidence).toMatchObject([{ source: 'r1', verified: true }]);
    model.assertComplete();
  });

  it('runs reads side by side, and an action alone, after the reads before it and before those behind it', async () => {
    const running = new Set<string>();
    const overlaps: string[] = [];
    const watched = (name: string, acts = false) =>
      loopTool(
        name,
        async () => {
          running.add(name);
          await new Promise((resolve) => setTimeout(resolve, 15));
          overlaps.push([...running].sort().join('+'));
          running.delete(name);
          return name;
        },
        { acts },
      );
    const model = new ScriptedModel([
      {
        calls: ['logs', 'ports', 'restart', 'stop', 'disk'].map((name) => ({ name })),
      },
      { text: answerWith('logs') },
    ]);
    const { events, result } = await readRun(
      runOptions(model, [
        watched('logs'),
        watched('ports'),
        watched('restart', true),
        watched('stop', true),
        watched('disk'),
      ]),
    );
    expect(overlaps).toEqual(['logs+ports', 'ports', 'restart', 'stop', 'disk']);
    expect(unbalanced(events)).toEqual([]);
    expect(result.messages.filter((message) => message.role === 'tool').map((message) => message.callId)).toEqual([
      's1_0',
      's1_1',
      's1_2',
      's1_3',
      's1_4',
    ]);
  });

  it('runs the same call of one turn once, in whatever order its arguments stand, and still answers both', async () => {
    let runs = 0;
    const tool = loopTool('logs', () => `run ${++runs}`);
    const model = new ScriptedModel([
      {
        calls: [
          { name: 'logs', arguments: { a: 1, b: 2 } },
          { name: 'logs', arguments: { b: 2, a: 1 } },
        ],
      },
      { text: answerWith('run 1') },
    ]);
    const { result } = await readRun(runOptions(model, [tool]));
    expect(runs).toBe(1);
    expect(result.messages.filter((message) => message.role === 'tool')).toHaveLength(2);
  });
});

describe('calls that are not right', () => {
  it('names the nearest tool when one does not exist, and goes on', async () => {
    const model = new ScriptedModel([
      { calls: [{ name: 'service_state' }] },
      { calls: [{ name: 'service_status' }] },
      { text: answerWith('fine') },
    ]);
    const { result, events } = await readRun(runOptions(model, [loopTool('service_status')]));
    const complaint = model.requests[1]?.messages.at(-1);
    expect(complaint).toMatchObject({ role: 'tool', failed: true });
    expect(complaint?.content).toContain('Did you mean service_status?');
    expect(result.end).toBe('answered');
    expect(unbalanced(events)).toEqual([]);
  });

  it('recovers a call that was written as text, but only when the text is nothing else', async () => {
    const call = '```json\n{"name": "logs", "arguments": {"service": "api"}}\n```';
    const quoted = `The log says ${call}`;
    const model = new ScriptedModel([{ text: call }, { text: quoted }, { text: answerWith('fine') }]);
    const { result } = await readRun(runOptions(model, [loopTool('logs')]));
    expect(result.messages[1]).toMatchObject({
      role: 'assistant',
      calls: [{ name: 'logs', arguments: { service: 'api' } }],
    });
    // The quoted one ran nothing: the model was asked for a proper answer instead.
    expect(result.messages.filter((message) => message.role === 'tool')).toHaveLength(1);
    expect(result.end).toBe('answered');
  });

  it('gives every call an id of its own when a model uses one twice or none', async () => {
    const model = new ScriptedModel([
      {
        calls: [
          { name: 'logs', id: 'x', arguments: { n: 1 } },
          { name: 'logs', id: 'x', arguments: { n: 2 } },
        ],
      },
      { calls: [{ name: 'logs', id: '', arguments: { n: 3 } }] },
      { text: answerWith('fine') },
    ]);
    const { events } = await readRun(runOptions(model, [loopTool('logs')]));
    const ids = events.flatMap((event) => (event.type === 'tool-start' ? [event.call] : []));
    expect(new Set(ids).size).toBe(3);
    expect(ids[0]).toBe('x');
    expect(unbalanced(events)).toEqual([]);
  });

  it('shows a tool that throws as a failed call', async () => {
    const model = new ScriptedModel([{ calls: [{ name: 'logs' }] }, { text: answerWith('EACCES') }]);
    const broken = loopTool('logs', 'x', {
      run: () => {
        throw new Error('EACCES: /var/log/app.log');
      },
    });
    const { events, result } = await readRun(runOptions(model, [broken]));
    expect(events.find((event) => event.type === 'tool-end')).toMatchObject({ ok: false });
    expect(result.evidence[0]?.verified).toBe(true);
  });
});

describe('circles', () => {
  const again = { calls: [{ name: 'logs', arguments: { service: 'api' } }] };

  it('is told once after three of the same call, then loses its tools and must answer', async () => {
    const model = new ScriptedModel([
      again,
      again,
      again,
      again,
      again,
      { text: 'CAUSE: unknown: it said nothing new' },
    ]);
    const { events, result } = await readRun(runOptions(model, [loopTool('logs')]));
    const corrections = events.filter((event) => event.type === 'correction');
    expect(corrections).toHaveLength(2);
    expect(corrections[0]).toMatchObject({ step: 3 });
    expect(model.requests.at(-1)?.tools).toEqual([]);
    expect(result.end).toBe('answered');
    expect(result.message).toContain('circle');
    model.assertComplete();
  });

  it('notices two calls that take turns', async () => {
    const other = { calls: [{ name: 'ports' }] };
    const model = new ScriptedModel([again, other, again, other, { text: answerWith('fine') }]);
    const { events } = await readRun(runOptions(model, [loopTool('logs'), loopTool('ports')]));
    expect(events.filter((event) => event.type === 'correction')).toMatchObject([{ step: 4 }]);
  });

  it('does not let the same action stand for news', async () => {
    const act = { calls: [{ name: 'restart' }] };
    const model = new ScriptedModel([again, act, act, act, act, act, { text: answerWith('fine') }]);
    const { events, result } = await readRun(
      runOptions(model, [loopTool('logs'), loopTool('restart', 'noted', { acts: true })]),
    );
    expect(events.filter((event) => event.type === 'correction')).toMatchObject([{ step: 4 }, { step: 6 }]);
    expect(result.message).toContain('circle');
    model.assertComplete();
  });

  it('starts counting anew after an action', async () => {
    const act = { calls: [{ name: 'restart' }] };
    const model = new ScriptedModel([again, again, act, again, again, { text: answerWith('fine') }]);
    const { events } = await readRun(
      runOptions(model, [loopTool('logs'), loopTool('restart', 'done', { acts: true })]),
    );
    expect(events.filter((event) => event.type === 'correction')).toEqual([]);
  });
});

describe('when something runs out', () => {
  const calls = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ calls: [{ name: 'logs', arguments: { n: index } }], tokens: 1000 }));

  it('spends the last step on an answer without tools', async () => {
    const model = new ScriptedModel([...calls(3), { text: answerWith('fine') }]);
    const options = runOptions(model, [loopTool('logs')]);
    const { result, events } = await readRun({ ...options, limits: { ...options.limits, steps: 4 } });
    expect(result).toMatchObject({ end: 'out-of-steps', steps: 4 });
    expect(result.evidence[0]?.verified).toBe(true);
    expect(model.requests.at(-1)?.tools).toEqual([]);
    expect(events.at(-1)).toMatchObject({
      type: 'run-end',
      end: 'out-of-steps',
      message: expect.stringContaining('4 steps'),
    });
    model.assertComplete();
  });

  it('stops at its budget of tokens', async () => {
    const model = new ScriptedModel([...calls(2), { text: answerWith('fine') }]);
    const options = runOptions(model, [loopTool('logs')]);
    const { result } = await readRun({ ...options, limits: { ...options.limits, tokens: 2000 } });
    expect(result.end).toBe('out-of-tokens');
    model.assertComplete();
  });

  it('ends a request and a tool that outlast its time, and asks for the last word within a time of its own', async () => {
    const clock = new ManualClock();
    const model = new ScriptedModel([
      { calls: [{ name: 'slow' }] },
      { text: 'CAUSE: unknown: the time was over\nNOT CHECKED: everything' },
    ]);
    const slow = loopTool('slow', () => new Promise<string>(() => undefined));
    const events: AgentEvent[] = [];
    for await (const event of runAgent(runOptions(model, [slow], { clock }))) {
      events.push(event);
      if (event.type === 'tool-start') setImmediate(() => void clock.advance(60_001));
    }
    expect(events.find((event) => event.type === 'tool-end')).toMatchObject({ ok: false });
    expect(events.at(-1)).toMatchObject({ type: 'run-end', end: 'out-of-time' });
    expect(clock.sleeping).toBe(0);
    model.assertComplete();
  });

  it('says so when the model fails, with what it said', async () => {
    const model = new ScriptedModel([
      { failure: 'no-model', message: 'no model answered. Start it with: ollama serve' },
    ]);
    const { result, events } = await readRun(runOptions(model, [loopTool('logs')]));
    expect(result).toMatchObject({ end: 'model-failed', text: '', message: expect.stringContaining('ollama serve') });
    expect(events.at(-2)).toMatchObject({ type: 'model-end', failure: 'no-model' });
  });
});

describe('the answer', () => {
  it('goes back once when a quote is not in the result it names, and is then shown as a guess', async () => {
    const model = new ScriptedModel([
      { calls: [{ name: 'logs' }] },
      { text: answerWith('disk is full') },
      { text: answerWith('disk is full') },
    ]);
    const { events, result } = await readRun(runOptions(model, [loopTool('logs', 'connection refused')]));
    expect(events.filter((event) => event.type === 'correction')).toMatchObject([
      { text: expect.stringContaining('"disk is full"') },
    ]);
    expect(result.evidence).toMatchObject([{ verified: false, quote: 'disk is full' }]);
    expect(result.end).toBe('answered');
  });

  it('may quote what the question already showed', async () => {
    const model = new ScriptedModel([{ text: answerWith('api answers 502', 'f1') }]);
    const given = [{ id: 'f1', tool: 'checks', title: 'checks', content: 'api answers 502 since 14:30' }];
    const { result } = await readRun(runOptions(model, [loopTool('logs')], { given }));
    expect(result.evidence).toMatchObject([{ verified: true, title: 'checks' }]);
  });
});

describe('a window that is too small for everything', () => {
  it('never sends more than fits, keeps the question, and lets an old result be read again', async () => {
    const long = (n: number) => `needle-${n} ${'some words of a log line that differ '.repeat(120)}`;
    const script = Array.from({ length: 30 }, (_, index) => ({ calls: [{ name: 'logs', arguments: { n: index } }] }));
    const model = new ScriptedModel(
      [...script, { calls: [{ name: 'read_again', arguments: { id: 'r1' } }] }, { text: answerWith('needle-0') }],
      8192,
    );
    const tool = loopTool('logs', (value) =>
      long(typeof value === 'object' && value !== null && 'n' in value ? Number(value.n) : -1),
    );
    const options = runOptions(model, [tool]);
    const { result } = await readRun({ ...options, limits: { ...options.limits, steps: 40, contextTokens: 8192 } });
    for (const request of model.requests) {
      const characters = JSON.stringify([request.system, request.messages, request.tools]).length;
      expect(characters / 3.3 + request.maxOutputTokens).toBeLessThan(8192 * 1.05);
      expect(request.messages[0]?.content).toContain('Why is api down?');
      const asked = new Set(
        request.messages.flatMap((each) => (each.role === 'assistant' ? each.calls.map((call) => call.id) : [])),
      );
      const answered = request.messages.flatMap((each) => (each.role === 'tool' ? [each.callId] : []));
      expect(
        answered.every((id) => asked.has(id)),
        'a result without its call',
      ).toBe(true);
      expect(answered).toHaveLength(asked.size);
    }
    expect(model.requests.at(-1)?.messages.at(-1)?.content).toContain('needle-0');
    expect(result.evidence[0]?.verified).toBe(true);
    model.assertComplete();
  });

  it('cuts a long result and says the call that shows the rest', async () => {
    const text = `${'x'.repeat(20_000)}END`;
    const model = new ScriptedModel([
      { calls: [{ name: 'logs' }] },
      (request) => {
        const more = /read_again (\{.*?\})/.exec(request.messages.at(-1)?.content ?? '')?.[1] ?? '{}';
        return { calls: [{ name: 'read_again', arguments: JSON.parse(more) }] };
      },
      { text: answerWith('xxxx') },
    ]);
    await readRun(runOptions(model, [loopTool('logs', text)]));
    expect(model.requests[1]?.messages.at(-1)?.content).toMatch(/more characters: read_again \{"id":"r1","from":\d+\}/);
    expect(model.requests[2]?.messages.at(-1)?.content).toMatch(/r1 again/);
  });
});
