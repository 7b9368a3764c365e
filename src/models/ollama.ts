import type { Ollama } from 'ollama';
import { z } from 'zod';
import { type Clock, systemClock } from '../base/clock.ts';
import { messageOf } from '../base/outcome.ts';
import { type Deadline, startDeadline } from './deadline.ts';
import { failedAnswer, failureOfThrown, ModelFailure } from './failure.ts';
import { createHttpFetch } from './http-fetch.ts';
import { leastCharacters } from './messages.ts';
import { guardFetch } from './ollama-fetch.ts';
import { toOllamaMessages, toOllamaTools } from './ollama-messages.ts';
import type { ModelEvent, ModelProvider, ModelRequest, ModelUsage, ToolCall } from './provider.ts';

interface OllamaOptions {
  model: string;
  /** Without `/api`. */
  url: string;
  /** The window asked for as `num_ctx`: the same in every request, for another one makes the server load the model anew. */
  contextTokens: number;
  /** The longest one answer may take, loading the model included. */
  timeoutMs: number;
  fetch?: typeof fetch;
  clock?: Clock;
}

/** After this long without an answer the reader is told that the model is probably being loaded. */
const LOADING_AFTER_MS = 3000;
/** How long the end of a body is waited for after the answer: only then is its connection free for the next round. */
const DRAIN_MS = 50;
/** No text has more characters to a token than this, so fewer tokens than that were counted means that some were cut off. */
const MOST_CHARACTERS_PER_TOKEN = 7;

const chunkSchema = z.looseObject({
  message: z
    .looseObject({
      content: z.string().nullish(),
      thinking: z.string().nullish(),
      tool_calls: z
        .array(
          z.looseObject({
            id: z.string().nullish(),
            function: z.looseObject({ name: z.string(), arguments: z.unknown() }),
          }),
        )
        .nullish(),
    })
    .nullish(),
  done: z.boolean().nullish(),
  done_reason: z.string().nullish(),
  prompt_eval_count: z.number().nullish(),
  eval_count: z.number().nullish(),
});
const showSchema = z.looseObject({
  capabilities: z.array(z.string()).nullish(),
  model_info: z.record(z.string(), z.unknown()).nullish(),
});
const psSchema = z.looseObject({
  models: z.array(
    z.looseObject({ name: z.string(), model: z.string().nullish(), context_length: z.number().nullish() }),
  ),
});

interface Description {
  thinks: boolean;
  /** False when the server says so; true when it says nothing. */
  calls: boolean;
  trainedContext: number | null;
}

/** Speaks Ollama's /api/chat. `stream` never rejects; each failure is the answer, with what to do about it. */
export function createOllamaProvider(options: OllamaOptions): ModelProvider {
  const { model, contextTokens } = options;
  const clock = options.clock ?? systemClock;
  const innerFetch = options.fetch ?? createHttpFetch();
  const name = `ollama ${model}`;
  let described: Description | null = null;

  let loaded: typeof import('ollama') | null = null;

  const client = async (signal: AbortSignal, onEnd?: () => void): Promise<Ollama> => {
    loaded ??= await import('ollama');
    // One client per request: it keeps a list of streams that it forgets to clear, and has no other way to be aborted.
    return new loaded.Ollama({ host: options.url, fetch: guardFetch(innerFetch, signal, onEnd) });
  };

  async function describe(signal: AbortSignal): Promise<Description> {
    if (described) return described;
    const shown = showSchema.safeParse(await (await client(signal)).show({ model }));
    const capabilities = shown.data?.capabilities ?? null;
    const context = Object.entries(shown.data?.model_info ?? {}).find(([key]) => key.endsWith('.context_length'))?.[1];
    described = {
      thinks: capabilities?.includes('thinking') ?? false,
      calls: capabilities?.includes('tools') ?? true,
      trainedContext: typeof context === 'number' ? context : null,
    };
    return described;
  }

  async function* converse(request: ModelRequest, deadline: Deadline): AsyncGenerator<ModelEvent> {
    const described = await describe(deadline.signal);
    if (request.tools.length > 0 && !described.calls) {
      throw new ModelFailure('refused', `${model} does not take tools; choose one whose \`ollama show\` lists "tools"`);
    }
    const body = {
      model,
      messages: toOllamaMessages(request, name),
      ...(request.tools.length > 0 ? { tools: toOllamaTools(request.tools) } : {}),
      stream: true as const,
      ...(described.thinks ? { think: true } : {}),
      // An overlong prompt is refused rather than silently beheaded, and a full window ends the answer. Both are the same in
      // every request: `shift` is a launch setting, too.
      truncate: false,
      shift: false,
      options: { num_ctx: contextTokens, num_predict: request.maxOutputTokens },
    };
    const whole = Promise.withResolvers<void>();
    const asking = (await client(deadline.signal, whole.resolve)).chat(body);
    if (await takesLonger(asking, clock)) yield { type: 'loading', text: `waiting for ${model}: it may be loading` };

    let content = '';
    let thinking = '';
    const calls: ToolCall[] = [];
    const parts = await asking;
    for await (const part of parts) {
      const parsed = chunkSchema.safeParse(part);
      if (!parsed.success) throw new ModelFailure('malformed', 'Ollama sent a message of a shape it should not have');
      const { message, done } = parsed.data;
      if (message?.thinking) {
        thinking += message.thinking;
        yield { type: 'thinking-delta', text: message.thinking };
      }
      if (message?.content) {
        content += message.content;
        yield { type: 'text-delta', text: message.content };
      }
      for (const call of message?.tool_calls ?? []) {
        const id = call.id || `call_${request.messages.length}_${calls.length}`;
        calls.push({ id, name: call.function.name, arguments: call.function.arguments ?? {} });
      }
      if (!done) continue;
      const usage = {
        inputTokens: parsed.data.prompt_eval_count ?? 0,
        outputTokens: parsed.data.eval_count ?? 0,
        cost: 0,
      };
      if (parsed.data.done_reason === 'length') {
        throw new ModelFailure('cut-off', cutOffMessage(request, usage), { partial: content, usage });
      }
      await refuseIfCut(request, usage, deadline.signal);
      if (content.trim() === '' && calls.length === 0) {
        throw new ModelFailure('empty', emptyMessage(usage, thinking), { usage });
      }
      await within(DRAIN_MS, whole.promise, clock);
      deadline.release();
      yield {
        type: 'answer',
        answer: { ok: true, provider: name, model, content, calls, ...(thinking ? { thinking } : {}), usage },
      };
      return;
    }
  }

  /** A prompt counted far too small was cut by the server, unless it holds the whole window and only left out what it had cached. */
  async function refuseIfCut(request: ModelRequest, usage: ModelUsage, signal: AbortSignal): Promise<void> {
    const characters = leastCharacters(request);
    if (usage.inputTokens === 0 || usage.inputTokens >= characters / MOST_CHARACTERS_PER_TOKEN) return;
    const loaded = psSchema.safeParse(await (await client(signal)).ps().catch(() => null)).data?.models ?? [];
    const window = loaded.find((each) => each.name === model || each.model === model)?.context_length ?? null;
    if (window !== null && window >= contextTokens && characters / MOST_CHARACTERS_PER_TOKEN < contextTokens) return;
    throw new ModelFailure(
      'context-too-small',
      `${model} read ${usage.inputTokens} tokens of a prompt of ${characters} characters: the server cut it. ` +
        `Its window is ${window ?? 'not known'}, ${contextTokens} were asked for. Lower \`context\` or give it more memory`,
      { usage },
    );
  }

  return {
    name,
    model,
    local: !/(:|-)cloud$/.test(model) && new URL(options.url).hostname !== 'ollama.com',
    contextTokens,
    async *stream(request, signal) {
      const deadline = startDeadline(clock, options.timeoutMs, signal);
      try {
        yield* converse(request, deadline);
      } catch (error) {
        yield { type: 'answer', answer: toAnswer(error, deadline, { ...options, name }) };
      } finally {
        deadline.stop();
      }
    },
    async probe(signal) {
      const deadline = startDeadline(clock, Math.min(options.timeoutMs, 5000), signal);
      try {
        described = null;
        const { calls, trainedContext } = await describe(deadline.signal);
        if (!calls) return { ready: false, message: 'does not take tools', remedy: 'choose a model that takes tools' };
        const small = trainedContext !== null && trainedContext < contextTokens;
        return { ready: true, message: small ? `ready, but made for ${trainedContext} tokens of context` : 'ready' };
      } catch (error) {
        const answer = toAnswer(error, deadline, { ...options, name });
        if (answer.ok) return { ready: true, message: 'ready' };
        return { ready: false, message: answer.message, remedy: remedyFor(answer.failure, options) };
      } finally {
        deadline.stop();
      }
    },
  };
}

function toAnswer(error: unknown, deadline: Deadline, options: OllamaOptions & { name: string }) {
  const rest = error instanceof ModelFailure ? { usage: error.usage, partial: error.partial } : {};
  const from = { name: options.name, model: options.model };
  if (deadline.reason() === 'cancelled') return failedAnswer(from, 'cancelled', 'stopped by the caller', rest);
  if (deadline.reason() === 'timed-out') {
    return failedAnswer(from, 'timed-out', `no answer within ${Math.round(options.timeoutMs / 1000)} s`, rest);
  }
  if (/did not receive done/i.test(messageOf(error))) {
    // The server ends a stream like this when a model says the same token more than 30 times, blanks included.
    return failedAnswer(from, 'cut-off', 'the answer broke off without an end: the model repeated itself', rest);
  }
  const { kind, message } = failureOfThrown(error);
  const where = kind === 'unreachable' ? `${options.url}: ${message}` : message;
  const remedy = remedyFor(kind, options);
  return failedAnswer(from, kind, remedy ? `${where} (${remedy})` : where, rest);
}

function remedyFor(kind: string, options: OllamaOptions): string | undefined {
  switch (kind) {
    case 'unreachable':
      return 'start it with: ollama serve';
    case 'not-found':
      return `get it with: ollama pull ${options.model}`;
    case 'out-of-memory':
      return 'choose a smaller model or a smaller context';
    default:
      return undefined;
  }
}

const cutOffMessage = (request: ModelRequest, usage: ModelUsage) =>
  `the answer was cut off after ${usage.outputTokens} tokens (most allowed: ${request.maxOutputTokens})`;

function emptyMessage(usage: ModelUsage, thinking: string): string {
  if (thinking) return 'it thought, and then said nothing';
  // The server's parser drops a call of a tool that was not offered, and a call it cannot read, without a word.
  if (usage.outputTokens > 2) return `its ${usage.outputTokens} tokens were a call that the server could not read`;
  return 'it said nothing';
}

/** Whether the answer's headers (or its failure) take so long that somebody should be told. */
const takesLonger = async (asking: Promise<unknown>, clock: Clock): Promise<boolean> =>
  !(await within(LOADING_AFTER_MS, asking, clock));

/** Whether something settles, well or not, within a time. */
async function within(milliseconds: number, awaited: Promise<unknown>, clock: Clock): Promise<boolean> {
  const pause = new AbortController();
  const settled = awaited.then(
    () => true,
    () => true,
  );
  const inTime = await Promise.race([settled, clock.sleep(milliseconds, pause.signal).then(() => false)]);
  pause.abort('over');
  return inTime;
}
