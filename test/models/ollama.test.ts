import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createOllamaProvider } from '../../src/models/ollama.ts';
import { type Asked, json, lines, startHttpServer } from '../support/http-server.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { readStream, request } from '../support/read-stream.ts';

type Chat = (asked: Asked, response: ServerResponse) => void;
const end = {
  message: { role: 'assistant', content: '' },
  done: true,
  done_reason: 'stop',
  prompt_eval_count: 40,
  eval_count: 7,
};
const say = (content: string) => ({ message: { role: 'assistant', content }, done: false });

/** An Ollama whose /api/chat does as the test says. */
const startOllama = (chat: Chat, capabilities = ['completion', 'tools'], ps: unknown = { models: [] }) =>
  startHttpServer((asked, response) => {
    if (asked.path === '/api/show')
      return json(response, { capabilities, model_info: { 'qwen.context_length': 40_960 } });
    if (asked.path === '/api/ps') return json(response, ps);
    return chat(asked, response);
  });

const provider = (url: string, more: Partial<Parameters<typeof createOllamaProvider>[0]> = {}) =>
  createOllamaProvider({ model: 'qwen3.5:9b', url, contextTokens: 8192, timeoutMs: 5000, ...more });

const bodyOf = (server: { asked: Asked[] }, nth = 0): Record<string, unknown> => {
  const body = server.asked.filter((each) => each.path === '/api/chat')[nth]?.body;
  if (typeof body !== 'object' || body === null) throw new Error('no such request');
  return { ...body };
};

afterEach(() => {
  vi.restoreAllMocks();
});

describe('what goes to Ollama', () => {
  it('is streamed, never to be cut by the server, with the same window every time', async () => {
    await using server = await startOllama((_, response) => lines(response, say('Because.'), end));
    const model = provider(server.url);
    await readStream(model);
    await readStream(model, request([{ role: 'user', content: 'And now?' }], { maxOutputTokens: 99 }));
    const [first, second] = [bodyOf(server, 0), bodyOf(server, 1)];
    expect(first).toMatchObject({
      stream: true,
      truncate: false,
      shift: false,
      options: { num_ctx: 8192, num_predict: 500 },
    });
    expect(second).toMatchObject({ truncate: false, shift: false, options: { num_ctx: 8192, num_predict: 99 } });
    expect(first).not.toHaveProperty('think');
    expect(first).not.toHaveProperty('tools');
    expect(server.asked.filter((each) => each.path === '/api/show')).toHaveLength(1);
  });

  it('uses one connection for many rounds, also when the end of the body comes after the answer', async () => {
    await using server = await startOllama((_, response) => {
      response.writeHead(200);
      response.write(`${JSON.stringify(say('Because.'))}\n${JSON.stringify(end)}\n`);
      setTimeout(() => response.end(), 5);
    });
    const model = provider(server.url);
    for (let round = 0; round < 10; round += 1) await readStream(model);
    expect(server.connections).toBe(1);
  });

  it('asks a model that thinks to think, and gives its thinking back to it, and to no other', async () => {
    await using server = await startOllama(
      (_, response) => lines(response, { message: { content: '', thinking: 'hm' } }, say('So.'), end),
      ['tools', 'thinking'],
    );
    const model = provider(server.url);
    const { answer, events } = await readStream(model);
    expect(events[0]).toEqual({ type: 'thinking-delta', text: 'hm' });
    expect(answer).toMatchObject({ ok: true, content: 'So.', thinking: 'hm' });
    const turn = { role: 'assistant' as const, content: 'So.', calls: [], thinking: 'hm' };
    await readStream(
      model,
      request([
        { ...turn, provider: model.name },
        { ...turn, provider: 'anthropic x', thinking: [] },
      ]),
    );
    const messages = bodyOf(server, 1).messages;
    expect(bodyOf(server, 0).think).toBe(true);
    expect(messages).toMatchObject([{ role: 'system' }, { thinking: 'hm' }, {}]);
    expect(Array.isArray(messages) && 'thinking' in messages[2]).toBe(false);
  });

  it('names a result by its tool and by its call, and sends arguments as an object whatever they were', async () => {
    await using server = await startOllama((_, response) => lines(response, say('So.'), end));
    await readStream(
      provider(server.url),
      request([
        { role: 'user', content: 'Why?' },
        {
          role: 'assistant',
          content: '',
          calls: [
            { id: 'a', name: 'logs', arguments: '{"service":"api"}' },
            { id: 'b', name: 'logs', arguments: 'no json' },
          ],
        },
        { role: 'tool', callId: 'a', name: 'logs', content: 'x', failed: false },
        { role: 'tool', callId: 'b', name: 'logs', content: 'y', failed: true },
      ]),
    );
    expect(bodyOf(server).messages).toMatchObject([
      {},
      {},
      {
        tool_calls: [
          { id: 'a', function: { name: 'logs', arguments: { service: 'api' } } },
          { id: 'b', function: { arguments: {} } },
        ],
      },
      { role: 'tool', tool_name: 'logs', tool_call_id: 'a', content: 'x' },
      { role: 'tool', tool_name: 'logs', tool_call_id: 'b' },
    ]);
  });

  it('gives a tool without arguments its empty properties', async () => {
    await using server = await startOllama((_, response) => lines(response, say('So.'), end));
    const tools = [{ name: 'uptime', description: 'how long it runs', parameters: { type: 'object' } }];
    await readStream(provider(server.url), request(undefined, { tools }));
    expect(bodyOf(server).tools).toEqual([
      {
        type: 'function',
        function: {
          name: 'uptime',
          description: 'how long it runs',
          parameters: { type: 'object', properties: {}, required: [] },
        },
      },
    ]);
  });
});

describe('what comes from Ollama', () => {
  it('is calls by their presence, for done_reason never says so, with ids that stay the same', async () => {
    const call = (name: string, id?: string) => ({
      message: { content: '', tool_calls: [{ id, function: { name, arguments: { n: 1 } } }] },
      done: false,
    });
    await using server = await startOllama((_, response) =>
      lines(response, say('I look.'), call('logs'), call('ports', 'call_own'), end),
    );
    const { answer } = await readStream(provider(server.url));
    expect(answer).toMatchObject({
      ok: true,
      content: 'I look.',
      calls: [
        { id: 'call_1_0', name: 'logs', arguments: { n: 1 } },
        { id: 'call_own', name: 'ports' },
      ],
      usage: { inputTokens: 40, outputTokens: 7, cost: 0 },
    });
  });

  const failing: [what: string, chat: Chat, failure: string, message: RegExp][] = [
    [
      'a web page with status 200',
      (_, response) =>
        void response.writeHead(200, { 'content-type': 'text/html' }).end('<html><h1>Sign in</h1></html>'),
      'server-error',
      /Sign in.*url/,
    ],
    [
      'a web page with status 502',
      (_, response) => void response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad gateway'),
      'server-error',
      /502.*Bad gateway/,
    ],
    [
      'a model that is not there',
      (_, response) => json(response, { error: 'model "qwen3.5:9b" not found' }, 404),
      'not-found',
      /ollama pull qwen3\.5:9b/,
    ],
    [
      'no memory left',
      (_, response) => json(response, { error: 'llama runner: cudaMalloc failed: out of memory' }, 500),
      'out-of-memory',
      /smaller/,
    ],
    [
      'a runner that died',
      (_, response) => json(response, { error: 'model runner has unexpectedly stopped' }, 500),
      'out-of-memory',
      /unexpectedly/,
    ],
    [
      'a call it could not read',
      (_, response) => json(response, { error: "error parsing tool call: raw='{\"a'" }, 500),
      'malformed',
      /parsing tool call/,
    ],
    [
      'XML it could not read',
      (_, response) => json(response, { error: 'XML syntax error on line 3: unexpected EOF' }, 500),
      'malformed',
      /XML/,
    ],
    [
      'a full queue',
      (_, response) =>
        json(response, { error: 'server busy, please try again.  maximum pending requests exceeded' }, 503),
      'rate-limited',
      /busy/,
    ],
    [
      'JSON inside a string',
      (_, response) =>
        json(
          response,
          { error: '{"error":{"code":400,"message":"too many","type":"exceed_context_size_error"}}' },
          400,
        ),
      'context-too-small',
      /exceed_context_size_error: too many/,
    ],
    [
      'an overlong prompt',
      (_, response) =>
        json(response, { error: 'the prompt is longer than the context length currently available to the model' }, 400),
      'context-too-small',
      /longer/,
    ],
    [
      'a turn that the server dropped',
      (_, response) => json(response, { error: 'no user query found in messages' }, 500),
      'context-too-small',
      /user query/,
    ],
    [
      'a missing login',
      (_, response) => json(response, { error: 'unauthorized', signin_url: 'https://x' }, 401),
      'not-authorised',
      /unauthorized/,
    ],
    [
      'an error in the middle',
      (_, response) =>
        lines(response, say('So'), { error: 'an error was encountered while running the model: out of memory' }),
      'out-of-memory',
      /out of memory/,
    ],
    [
      'the same token for ever, which ends without done',
      (_, response) => lines(response, ...Array.from({ length: 31 }, () => say('the '))),
      'cut-off',
      /repeated/,
    ],
    [
      'its length used up',
      (_, response) => lines(response, say('Half an ans'), { ...end, done_reason: 'length' }),
      'cut-off',
      /cut off after 7 tokens/,
    ],
    ['nothing', (_, response) => lines(response, { ...end, eval_count: 1 }), 'empty', /said nothing/],
    [
      'tokens that the parser swallowed',
      (_, response) => lines(response, { ...end, eval_count: 40 }),
      'empty',
      /40 tokens/,
    ],
    ['blanks only', (_, response) => lines(response, say(' \n '), { ...end, eval_count: 2 }), 'empty', /nothing/],
    [
      'a shape it should not have',
      (_, response) => lines(response, { message: { content: { text: 'x' } }, done: false }),
      'malformed',
      /shape/,
    ],
    [
      'garbage in the middle',
      (_, response) => void response.writeHead(200).end(`${JSON.stringify(say('So'))}\nPANIC: goroutine 1\n`),
      'server-error',
      /PANIC/,
    ],
    [
      'a socket that is cut',
      (_, response) => {
        response.writeHead(200);
        response.write(`${JSON.stringify(say('So'))}\n`, () => response.destroy());
      },
      'server-error',
      /cut/,
    ],
  ];

  it.each(failing)('%s is a failure that says so, and nothing is printed', async (_, chat, failure, message) => {
    const printed = [
      vi.spyOn(console, 'log'),
      vi.spyOn(console, 'warn'),
      vi.spyOn(console, 'error'),
      vi.spyOn(process.stdout, 'write'),
    ];
    await using server = await startOllama(chat);
    const { answer } = await readStream(provider(server.url));
    expect(answer).toMatchObject({
      ok: false,
      failure,
      message: expect.stringMatching(message),
      provider: 'ollama qwen3.5:9b',
    });
    for (const spy of printed) expect(spy).not.toHaveBeenCalled();
  });

  it('keeps the text that came before the answer was cut off', async () => {
    await using server = await startOllama((_, response) =>
      lines(response, say('Half an ans'), { ...end, done_reason: 'length' }),
    );
    expect((await readStream(provider(server.url))).answer).toMatchObject({ partial: 'Half an ans' });
  });

  it('stops reading an answer that never ends', async () => {
    const babble = `${JSON.stringify(say('x'.repeat(1_000_000)))}\n`;
    await using server = await startOllama((_, response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write(babble));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    const { answer } = await readStream(provider(server.url, { timeoutMs: 20_000 }));
    expect(answer).toMatchObject({ failure: 'server-error', message: expect.stringContaining('32 MB') });
  });

  it('is unreachable when nobody listens, and says how to start it', async () => {
    const server = await startOllama(() => undefined);
    await server[Symbol.asyncDispose]();
    const { answer } = await readStream(provider(server.url));
    expect(answer).toMatchObject({
      failure: 'unreachable',
      message: expect.stringMatching(/127\.0\.0\.1:\d+.*ECONNREFUSED.*ollama serve/),
    });
  });

  it('does not send tools to a model that takes none', async () => {
    await using server = await startOllama((_, response) => lines(response, say('x'), end), ['completion']);
    const tools = [{ name: 'uptime', description: '', parameters: { type: 'object' } }];
    const { answer } = await readStream(provider(server.url), request(undefined, { tools }));
    expect(answer).toMatchObject({ failure: 'refused', message: expect.stringContaining('tools') });
    expect(server.asked.map((each) => each.path)).toEqual(['/api/show']);
  });
});

describe('a prompt that the server cut', () => {
  const long = request([{ role: 'user', content: 'one two three four '.repeat(1000) }]);
  const short = (_: Asked, response: ServerResponse) =>
    lines(response, say('Invented.'), { ...end, prompt_eval_count: 2050 });

  it('is noticed by the tokens it counted', async () => {
    await using server = await startOllama(short, undefined, {
      models: [{ name: 'qwen3.5:9b', context_length: 4096 }],
    });
    const { answer } = await readStream(provider(server.url), long);
    expect(answer).toMatchObject({
      failure: 'context-too-small',
      message: expect.stringMatching(/read 2050 tokens.*window is 4096, 8192/),
    });
  });

  it('is not suspected of a server that has the whole window and counts without its cache', async () => {
    await using server = await startOllama(short, undefined, {
      models: [{ name: 'qwen3.5:9b', context_length: 8192 }],
    });
    expect((await readStream(provider(server.url), long)).answer.ok).toBe(true);
  });
});

describe('time', () => {
  it('ends a request whose headers never come, and the server sees it go', async () => {
    const clock = new ManualClock();
    const arrived = Promise.withResolvers<void>();
    await using server = await startOllama(() => arrived.resolve());
    const reading = readStream(provider(server.url, { clock, timeoutMs: 600_000 }));
    await arrived.promise;
    await clock.advance(301_000 + 5000);
    await clock.advance(300_000);
    const { answer, events } = await reading;
    expect(events[0]).toEqual({ type: 'loading', text: expect.stringContaining('qwen3.5:9b') });
    expect(answer).toMatchObject({ failure: 'timed-out', message: 'no answer within 600 s' });
    await vi.waitFor(() => expect(server.left).toBe(1));
    expect(clock.sleeping).toBe(0);
  });

  it('ends at once when the caller stops it before the headers, in the middle, or leaves', async () => {
    const arrived = Promise.withResolvers<void>();
    await using server = await startOllama((_, response) => {
      response.writeHead(200);
      response.write(`${JSON.stringify(say('So'))}\n`);
      arrived.resolve();
    });
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const event of provider(server.url).stream(request(), stop.signal)) {
      seen.push(event.type === 'answer' && !event.answer.ok ? event.answer.failure : event.type);
      stop.abort();
    }
    expect(seen).toEqual(['text-delta', 'cancelled']);
    for await (const _ of provider(server.url).stream(request(), new AbortController().signal)) break;
    await vi.waitFor(() => expect(server.left).toBe(2));
    const { answer } = await readStream(provider(server.url), request(), AbortSignal.abort());
    expect(answer).toMatchObject({ failure: 'cancelled' });
  });
});

describe('probe', () => {
  it('says whether it is ready, and what to do when it is not', async () => {
    await using server = await startOllama(() => undefined);
    await using empty = await startHttpServer((_, response) => json(response, { error: 'model not found' }, 404));
    const signal = new AbortController().signal;
    expect(await provider(server.url).probe(signal)).toEqual({ ready: true, message: 'ready' });
    expect(await provider(server.url, { contextTokens: 65_536 }).probe(signal)).toMatchObject({
      message: expect.stringContaining('40960'),
    });
    expect(await provider(empty.url).probe(signal)).toMatchObject({
      ready: false,
      remedy: 'get it with: ollama pull qwen3.5:9b',
    });
  });
});
