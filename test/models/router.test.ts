import { describe, expect, it } from 'vitest';
import type { ModelProvider } from '../../src/models/provider.ts';
import { createModels, createRouter } from '../../src/models/router.ts';
import { events, json, lines, startHttpServer } from '../support/http-server.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { readStream, request } from '../support/read-stream.ts';
import { type Scripted, ScriptedModel } from '../support/scripted-model.ts';

/** A scripted model under a name of its own, with what its probe says. */
function named(
  name: string,
  script: Scripted[],
  ready: () => boolean = () => true,
): ModelProvider & { asked: () => number; assertComplete(): void } {
  const model = new ScriptedModel(script);
  let asked = 0;
  return {
    name,
    model: name,
    local: true,
    contextTokens: name === 'small' ? 4096 : 8192,
    async *stream(given, signal) {
      asked += 1;
      for await (const event of model.stream(given, signal)) {
        if (event.type === 'answer') event.answer.provider = name;
        yield event;
      }
    },
    probe: async () =>
      ready() ? { ready: true, message: 'ready' } : { ready: false, message: 'still down', remedy: 'start it' },
    asked: () => asked,
    assertComplete: () => model.assertComplete(),
  };
}

describe('the router', () => {
  it.each([
    'unreachable',
    'timed-out',
    'out-of-memory',
    'context-too-small',
    'refused',
    'cut-off',
    'not-found',
  ] as const)('asks the next one when the first is %s, and says so', async (failure) => {
    const first = named('local', [{ failure, message: 'because' }]);
    const second = named('cloud', [{ text: 'Here.' }]);
    const { events: seen, answer } = await readStream(
      createRouter({ providers: [first, second], clock: new ManualClock() }),
    );
    expect(seen[0]).toEqual({ type: 'provider-failed', provider: 'local', failure, message: 'because' });
    expect(answer).toMatchObject({ ok: true, provider: 'cloud', content: 'Here.' });
    first.assertComplete();
  });

  it.each(['malformed', 'empty'] as const)(
    'asks the same one once more when it is %s, for that is often chance',
    async (failure) => {
      const luckier = named('local', [{ failure }, { text: 'Now.' }]);
      const spare = named('cloud', []);
      expect(
        (await readStream(createRouter({ providers: [luckier, spare], clock: new ManualClock() }))).answer,
      ).toMatchObject({ content: 'Now.' });
      const twice = named('local', [{ failure }, { failure }]);
      const next = named('cloud', [{ text: 'Here.' }]);
      const { events: seen, answer } = await readStream(
        createRouter({ providers: [twice, next], clock: new ManualClock() }),
      );
      expect(seen.filter((event) => event.type === 'provider-failed')).toHaveLength(2);
      expect(answer).toMatchObject({ provider: 'cloud' });
    },
  );

  it('leaves one that is down alone for a minute, then probes it before it asks', async () => {
    let up = false;
    const clock = new ManualClock();
    const first = named('local', [{ failure: 'unreachable', message: 'refused' }, { text: 'Back.' }], () => up);
    const second = named('cloud', [{ text: '1' }, { text: '2' }, { text: '3' }]);
    const router = createRouter({ providers: [first, second], clock });
    await readStream(router);
    await clock.advance(59_000);
    await readStream(router);
    expect(first.asked()).toBe(1);
    await clock.advance(2000);
    await readStream(router);
    expect(first.asked(), 'it was probed, and still down').toBe(1);
    up = true;
    await clock.advance(61_000);
    expect((await readStream(router)).answer).toMatchObject({ provider: 'local', content: 'Back.' });
    second.assertComplete();
  });

  it('says what each of them said and what to do when none answers', async () => {
    const router = createRouter({
      providers: [
        named('local', [{ failure: 'unreachable', message: 'nobody listens (start it with: ollama serve)' }]),
        named('cloud', [{ failure: 'not-authorised', message: 'the key is empty' }]),
      ],
      clock: new ManualClock(),
    });
    const { answer } = await readStream(router);
    expect(answer).toMatchObject({
      ok: false,
      failure: 'no-model',
      message: expect.stringMatching(/local: nobody listens.*ollama serve.*cloud: the key is empty.*nightshift doctor/),
    });
    const again = await readStream(router);
    expect(again.answer).toMatchObject({
      failure: 'no-model',
      message: expect.stringMatching(/left alone for another 60 s: nobody listens/),
    });
  });

  it('does not ask another one after the caller stopped it', async () => {
    const stop = new AbortController();
    const second = named('cloud', []);
    const router = createRouter({ providers: [named('local', [{ hang: true }]), second], clock: new ManualClock() });
    const reading = readStream(router, request(), stop.signal);
    setImmediate(() => stop.abort());
    expect((await reading).answer).toMatchObject({ failure: 'cancelled' });
    expect(second.asked()).toBe(0);
  });

  it('stays with the provider that answered the conversation last, and with the smallest window', async () => {
    const first = named('small', []);
    const second = named('cloud', [{ text: 'Here.' }]);
    const router = createRouter({ providers: [first, second], clock: new ManualClock() });
    const messages = [
      { role: 'user' as const, content: 'Why?' },
      { role: 'assistant' as const, content: 'x', calls: [], provider: 'cloud' },
      { role: 'user' as const, content: 'And?' },
    ];
    await readStream(router, request(messages));
    expect(first.asked()).toBe(0);
    expect(router.contextTokens).toBe(4096);
  });
});

describe('the models of a configuration', () => {
  it('move a conversation from Ollama to Anthropic in its middle; secrets stay here, and what left is kept', async () => {
    let broken = false;
    await using ollama = await startHttpServer((asked, response) => {
      if (asked.path !== '/api/chat') return json(response, { capabilities: ['tools'] });
      if (broken) return json(response, { error: 'model runner has unexpectedly stopped' }, 500);
      const call = { id: 'call.7', function: { name: 'logs', arguments: { service: 'api' } } };
      lines(
        response,
        { message: { content: '', tool_calls: [call] }, done: false },
        { message: {}, done: true, done_reason: 'stop' },
      );
    });
    await using cloud = await startHttpServer((_, response) =>
      events(
        response,
        { type: 'message_start', message: { usage: { input_tokens: 9, output_tokens: 1 } } },
        { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
        { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'It is down.' } },
        { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 4 } },
        { type: 'message_stop' },
      ),
    );
    const secret = 'hunter2-of-this-test';
    const sent: { provider: string; body: string; incident: number | null }[] = [];
    const models = createModels(
      [
        { ollama: { model: 'q', url: ollama.url, context: 8192 } },
        { anthropic: { model: 'claude-haiku-5-5', key: 'env:X', url: cloud.url, max_output: 1000 } },
      ],
      {
        clock: new ManualClock(),
        secret: () => 'k',
        redact: (text) => text.replaceAll(secret, '[secret]'),
        keepSent: (one) => sent.push(one),
      },
    );
    expect(models.length).toBe(2);
    const question = { role: 'user' as const, content: `Why? password=${secret}` };
    const first = await readStream(models.router, request([question]));
    expect(first.answer).toMatchObject({ ok: true, provider: 'ollama q', calls: [{ id: 'call.7' }] });
    if (!first.answer.ok) return;
    broken = true;
    const second = await readStream(
      models.router,
      request(
        [
          question,
          { role: 'assistant', content: '', calls: first.answer.calls, provider: 'ollama q' },
          { role: 'tool', callId: 'call.7', name: 'logs', content: `token ${secret}`, failed: false },
        ],
        { incident: 12 },
      ),
    );
    expect(second.answer).toMatchObject({ ok: true, provider: 'anthropic claude-haiku-5-5', content: 'It is down.' });
    expect(cloud.asked[0]?.body).toMatchObject({
      messages: [
        { role: 'user' },
        { content: [{ type: 'tool_use', id: 'call_7' }] },
        { content: [{ type: 'tool_result', tool_use_id: 'call_7', content: 'token [secret]' }] },
      ],
    });
    expect(JSON.stringify([ollama.asked, cloud.asked])).not.toContain(secret);
    expect(sent).toMatchObject([
      { provider: 'anthropic claude-haiku-5-5', incident: 12, inputTokens: 9, outputTokens: 4 },
    ]);
    expect(sent[0]?.body).toContain('[secret]');
  });

  it('are none when none is configured, and say how to add one', async () => {
    const models = createModels([], { clock: new ManualClock(), secret: () => '' });
    expect(models.length).toBe(0);
    expect((await readStream(models.router)).answer).toMatchObject({
      failure: 'no-model',
      message: expect.stringContaining('models:'),
    });
  });
});
