import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createAnthropicProvider } from '../../src/models/anthropic.ts';
import { type Asked, events, json, startHttpServer } from '../support/http-server.ts';
import { readStream, request } from '../support/read-stream.ts';

const key = `test-${randomBytes(8).toString('hex')}`;
const provider = (url: string | undefined, more: Partial<Parameters<typeof createAnthropicProvider>[0]> = {}) =>
  createAnthropicProvider({
    model: 'claude-haiku-5-5',
    key: () => key,
    url,
    maxOutputTokens: 1000,
    contextTokens: 50_000,
    timeoutMs: 5000,
    ...more,
  });

const start = (usage: object = { input_tokens: 100, output_tokens: 1 }) => ({
  type: 'message_start',
  message: { id: 'm', type: 'message', role: 'assistant', model: 'x', content: [], stop_reason: null, usage },
});
const block = (index: number, content: object, ...deltas: object[]) => [
  { type: 'content_block_start', index, content_block: content },
  ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
  { type: 'content_block_stop', index },
];
const text = (index: number, words: string) =>
  block(index, { type: 'text', text: '' }, { type: 'text_delta', text: words });
const toolUse = (index: number, name: string, ...json: string[]) =>
  block(
    index,
    { type: 'tool_use', id: `toolu_${index}`, name, input: {} },
    ...json.map((partial_json) => ({ type: 'input_json_delta', partial_json })),
  );
const stop = (stop_reason: string, usage: object = { output_tokens: 20 }) => [
  { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage },
  { type: 'message_stop' },
];
const answering =
  (...parts: { type: string; [key: string]: unknown }[]) =>
  (_: Asked, response: ServerResponse) =>
    events(response, ...parts);

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe('what goes to Anthropic', () => {
  it('goes to the url and with the key of the configuration, whatever the environment says, and without what newer models refuse', async () => {
    await using elsewhere = await startHttpServer(answering(start(), ...text(0, 'No.'), ...stop('end_turn')));
    vi.stubEnv('ANTHROPIC_BASE_URL', elsewhere.url);
    vi.stubEnv('ANTHROPIC_API_KEY', 'another');
    vi.stubEnv('ANTHROPIC_AUTH_TOKEN', 'a third');
    vi.stubEnv('ANTHROPIC_LOG', 'debug');
    const printed = [
      vi.spyOn(console, 'log'),
      vi.spyOn(console, 'debug'),
      vi.spyOn(console, 'info'),
      vi.spyOn(console, 'warn'),
    ];
    await using server = await startHttpServer(answering(start(), ...text(0, 'Because.'), ...stop('end_turn')));
    const tools = [
      {
        name: 'logs',
        description: 'reads logs',
        parameters: { $schema: 'x', type: 'object', properties: { n: { type: 'integer' } } },
      },
    ];
    const { answer } = await readStream(provider(server.url), request(undefined, { tools, maxOutputTokens: 5000 }));
    expect(answer).toMatchObject({ ok: true, content: 'Because.' });
    expect(elsewhere.asked).toEqual([]);
    const { path, headers, body } = server.asked[0] ?? {};
    expect(path).toBe('/v1/messages');
    expect(headers).toMatchObject({
      authorization: `Bearer ${key}`,
      'x-api-key': key,
      'anthropic-version': '2023-06-01',
    });
    expect(body).toEqual({
      model: 'claude-haiku-5-5',
      max_tokens: 1000,
      system: 'You look after machines.',
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Why?' }] }],
      stream: true,
      tools: [
        {
          name: 'logs',
          description: 'reads logs',
          input_schema: { type: 'object', properties: { n: { type: 'integer' } } },
        },
      ],
    });
    for (const spy of printed) expect(spy).not.toHaveBeenCalled();
  });

  it('puts the results of a turn together, thinking back only to the model it came from, and no empty text', async () => {
    await using server = await startHttpServer(
      answering(
        start(),
        ...block(
          0,
          { type: 'thinking', thinking: '', signature: '' },
          { type: 'thinking_delta', thinking: 'hm' },
          { type: 'signature_delta', signature: 'sig' },
        ),
        ...toolUse(1, 'logs', '{"n"', ': 1}'),
        ...stop('tool_use'),
      ),
    );
    const model = provider(server.url);
    const { answer } = await readStream(model);
    expect(answer).toMatchObject({ ok: true, calls: [{ id: 'toolu_1', name: 'logs', arguments: { n: 1 } }] });
    if (!answer.ok) return;
    const turn = { role: 'assistant' as const, content: '', calls: answer.calls, thinking: answer.thinking };
    const result = { role: 'tool' as const, callId: 'toolu_1', name: 'logs', content: '', failed: true };
    const local = {
      role: 'assistant' as const,
      content: 'x',
      calls: [{ id: 'call.1:0', name: 'logs', arguments: [{ n: 2 }] }],
      thinking: 'words',
      provider: 'ollama q',
    };
    await readStream(
      model,
      request([
        { role: 'user', content: 'Why?' },
        { ...turn, provider: model.name },
        result,
        { role: 'user', content: 'Go on.' },
        local,
        { role: 'tool', callId: 'call.1:0', name: 'logs', content: 'seen', failed: false },
        { ...turn, calls: [], content: 'So.', provider: 'anthropic other' },
        { role: 'user', content: 'And?' },
      ]),
    );
    expect(server.asked[1]?.body).toMatchObject({
      messages: [
        { role: 'user' },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hm', signature: 'sig' },
            { type: 'tool_use', id: 'toolu_1', input: { n: 1 } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'toolu_1', content: '(nothing)', is_error: true },
            { type: 'text', text: 'Go on.' },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'x' },
            { type: 'tool_use', id: 'call_1_0', input: { n: 2 } },
          ],
        },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1_0' }] },
        { role: 'assistant', content: [{ type: 'text', text: 'So.' }] },
        { role: 'user' },
      ],
      // No tools are offered any more, but the calls above need their declarations.
      tools: [{ name: 'logs' }],
      tool_choice: { type: 'none' },
    });
  });

  it('sends nothing without a key, and says why', async () => {
    await using server = await startHttpServer(answering());
    const missing = provider(server.url, {
      key: () => {
        throw new Error('ANTHROPIC_API_KEY is not set');
      },
    });
    expect((await readStream(missing)).answer).toMatchObject({
      failure: 'not-authorised',
      message: 'ANTHROPIC_API_KEY is not set',
    });
    expect(await missing.probe(new AbortController().signal)).toMatchObject({
      ready: false,
      remedy: expect.any(String),
    });
    expect(server.asked).toEqual([]);
  });
});

describe('what comes from Anthropic and its gateways', () => {
  const failing: [
    string,
    (asked: Asked, response: ServerResponse) => void,
    failure: string,
    message: RegExp,
    requests?: number,
  ][] = [
    [
      'a call that was cut by max_tokens',
      answering(start(), ...text(0, 'I'), ...toolUse(1, 'logs', '{"a": 1, "b": "hel'), ...stop('max_tokens')),
      'cut-off',
      /20 tokens/,
    ],
    [
      'a whole call in a turn cut by max_tokens',
      answering(start(), ...toolUse(0, 'restart', '{"service":"api"}'), ...stop('max_tokens')),
      'cut-off',
      /cut off/,
    ],
    ['a refusal', answering(start(), ...toolUse(0, 'restart', '{}'), ...stop('refusal')), 'refused', /declined/],
    [
      'a full window',
      answering(start(), ...text(0, 'x'), ...stop('model_context_window_exceeded')),
      'context-too-small',
      /window/,
    ],
    [
      'calls run together into one',
      answering(start(), ...toolUse(0, 'logs', '{"a":1}{"a":2}'), ...stop('tool_use')),
      'malformed',
      /logs/,
    ],
    ['nothing', answering(start(), ...stop('end_turn')), 'empty', /nothing/],
    [
      'an error in the middle',
      answering(start(), ...text(0, 'So'), {
        type: 'error',
        error: { type: 'overloaded_error', message: 'Overloaded' },
      }),
      'rate-limited',
      /verloaded/,
    ],
    ['an end without an end', answering(start(), ...text(0, 'So')), 'server-error', /broke off/],
    [
      'a web page with status 200',
      (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Hello</html>'),
      'server-error',
      /Hello.*url/,
      1,
    ],
    [
      'a prompt that is too long',
      (_, response) =>
        json(response, { error: { type: 'invalid_request_error', message: 'prompt is too long: 9 > 8' } }, 400),
      'context-too-small',
      /too long/,
      1,
    ],
    [
      'a wrong key',
      (_, response) => json(response, { error: { type: 'authentication_error', message: 'invalid x-api-key' } }, 401),
      'not-authorised',
      /x-api-key/,
      1,
    ],
    [
      'a model that is not there',
      (_, response) => json(response, { error: { type: 'not_found_error', message: 'model: x' } }, 404),
      'not-found',
      /model: x/,
      1,
    ],
    [
      'a 400 of a gateway',
      (_, response) => json(response, { error: 'thinking is enabled but reasoning_content is missing' }, 400),
      'refused',
      /reasoning_content/,
      1,
    ],
    [
      'a server error, after one more try',
      (_, response) => json(response, { error: { type: 'api_error', message: 'Internal' } }, 500),
      'server-error',
      /Internal/,
      2,
    ],
    [
      'a wait of two minutes, which is not waited for',
      (_, response) =>
        void response
          .writeHead(429, { 'retry-after': '120', 'content-type': 'application/json' })
          .end('{"error":{"type":"rate_limit_error","message":"slow down"}}'),
      'rate-limited',
      /120 s/,
      1,
    ],
    [
      'a socket that is cut',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`event: message_start\ndata: ${JSON.stringify(start())}\n\n`, () => response.destroy());
      },
      'server-error',
      /cut|broke off/,
    ],
  ];

  it.each(failing)(
    '%s is a failure that says so, and no call of it counts',
    async (_, respond, failure, message, requests) => {
      await using server = await startHttpServer(respond);
      const { answer } = await readStream(provider(server.url));
      expect(answer).toMatchObject({ ok: false, failure, message: expect.stringMatching(message) });
      if (requests !== undefined) expect(server.asked).toHaveLength(requests);
    },
  );

  it('waits as long as Retry-After says when that is short, and tries again', async () => {
    let times = 0;
    await using server = await startHttpServer((_, response) => {
      times += 1;
      if (times === 1) response.writeHead(429, { 'retry-after-ms': '20' }).end('{}');
      else events(response, start(), ...text(0, 'Now.'), ...stop('end_turn'));
    });
    expect((await readStream(provider(server.url))).answer).toMatchObject({ ok: true, content: 'Now.' });
  });

  it('takes arguments in an array of one, none at all, and counts that come only at the end', async () => {
    await using server = await startHttpServer(
      answering(
        start({ input_tokens: 0, output_tokens: 0 }),
        ...toolUse(0, 'logs', '[{"n":1}]'),
        ...toolUse(1, 'uptime'),
        ...stop('tool_use', { input_tokens: 1000, cache_read_input_tokens: 2000, output_tokens: 50 }),
      ),
    );
    const { answer } = await readStream(provider(server.url));
    expect(answer).toMatchObject({ calls: [{ arguments: { n: 1 } }, { arguments: {} }] });
    expect(answer.usage.inputTokens).toBe(3000);
    // 1000 at 0.10, 2000 cached at 0.01, 50 at 0.50 dollars a million.
    expect(answer.usage.cost).toBeCloseTo(0.000145, 9);
  });

  it('is unreachable when nobody listens', async () => {
    const server = await startHttpServer(() => undefined);
    await server[Symbol.asyncDispose]();
    expect((await readStream(provider(server.url))).answer).toMatchObject({
      failure: 'unreachable',
      message: expect.stringContaining(server.url),
    });
  });

  it('ends when its time is over, and when the caller stops it', async () => {
    await using server = await startHttpServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`event: message_start\ndata: ${JSON.stringify(start())}\n\n`);
    });
    const late = await readStream(provider(server.url, { timeoutMs: 150 }));
    expect(late.answer).toMatchObject({ failure: 'timed-out' });
    const stopped = new AbortController();
    setTimeout(() => stopped.abort(), 50);
    expect((await readStream(provider(server.url), request(), stopped.signal)).answer).toMatchObject({
      failure: 'cancelled',
    });
    await vi.waitFor(() => expect(server.left).toBe(2));
  });
});
