import type Anthropic from '@anthropic-ai/sdk';
import { type Clock, systemClock } from '../base/clock.ts';
import { messageOf } from '../base/outcome.ts';
import { mendingFetch, waitSeconds } from './anthropic-fetch.ts';
import { toAnthropicMessages, toAnthropicTools, toCall } from './anthropic-messages.ts';
import { type Deadline, startDeadline } from './deadline.ts';
import { failedAnswer, failureOfThrown, kindOfStatus, ModelFailure } from './failure.ts';
import { costOf } from './prices.ts';
import type { ModelEvent, ModelProvider, ModelRequest, ModelUsage, ToolCall } from './provider.ts';

interface AnthropicOptions {
  model: string;
  /** Asked for at each request, so that a changed key is picked up. Throws, with the reason, when there is none. */
  key: () => string;
  /** A gateway that speaks the same API; `/v1/messages` is put behind it. Default: Anthropic's own. */
  url?: string;
  maxOutputTokens: number;
  contextTokens: number;
  /** The longest one answer may take. */
  timeoutMs: number;
  clock?: Clock;
  fetch?: typeof fetch;
}

const OWN_URL = 'https://api.anthropic.com';

/** Speaks Anthropic's messages API, and gateways that do. `stream` never rejects; each failure is the answer. */
export function createAnthropicProvider(options: AnthropicOptions): ModelProvider {
  const { model } = options;
  const clock = options.clock ?? systemClock;
  const name = `anthropic ${model}`;
  const gateway = options.url !== undefined && new URL(options.url).origin !== OWN_URL;

  async function connect(): Promise<Anthropic> {
    const { default: Client } = await import('@anthropic-ai/sdk');
    const key = keyOf(options);
    return new Client({
      // All said here, so that nothing of the environment can send the key elsewhere or pick another.
      baseURL: options.url ?? OWN_URL,
      apiKey: key,
      authToken: null,
      maxRetries: 1,
      timeout: options.timeoutMs,
      openTelemetry: false,
      logLevel: 'off',
      fetch: mendingFetch(options.fetch ?? fetch),
      // Gateways look for the key in this header, and know only this version.
      ...(gateway ? { defaultHeaders: { 'x-api-key': key, 'anthropic-version': '2023-06-01' } } : {}),
    });
  }

  async function* converse(request: ModelRequest, deadline: Deadline): AsyncGenerator<ModelEvent> {
    const stream = await (await connect()).messages.create(
      {
        model,
        max_tokens: Math.min(request.maxOutputTokens, options.maxOutputTokens),
        system: request.system,
        messages: toAnthropicMessages(request.messages, name),
        stream: true,
        ...toAnthropicTools(request),
        ...(gateway ? {} : { cache_control: { type: 'ephemeral' as const } }),
      },
      { signal: deadline.signal },
    );

    const blocks = new Map<number, Anthropic.ContentBlock>();
    const json = new Map<number, string>();
    const tokens = { input: 0, output: 0, cacheWrite: 0, cacheRead: 0 };
    let stop: string | null = null;
    let ended = false;
    for await (const event of stream) {
      if (event.type === 'message_start') count(tokens, event.message?.usage);
      else if (event.type === 'content_block_start') blocks.set(event.index, event.content_block);
      else if (event.type === 'content_block_delta') {
        const block = blocks.get(event.index);
        const { delta } = event;
        if (delta.type === 'text_delta') {
          if (block?.type === 'text') block.text += delta.text;
          yield { type: 'text-delta', text: delta.text };
        } else if (delta.type === 'thinking_delta') {
          if (block?.type === 'thinking') block.thinking += delta.thinking;
          yield { type: 'thinking-delta', text: delta.thinking };
        } else if (delta.type === 'signature_delta') {
          if (block?.type === 'thinking') block.signature += delta.signature;
        } else if (delta.type === 'input_json_delta') {
          json.set(event.index, (json.get(event.index) ?? '') + delta.partial_json);
        }
      } else if (event.type === 'message_delta') {
        stop = event.delta.stop_reason;
        count(tokens, event.usage);
      } else if (event.type === 'message_stop') {
        ended = true;
        break;
      }
    }
    // The SDK ends the stream quietly when it is aborted; what came so far is no answer.
    if (deadline.reason() !== null) throw new ModelFailure('cancelled', 'stopped');

    const usage = toUsage(model, tokens, clock.now());
    const whole = [...blocks.values()];
    const content = whole.map((block) => (block.type === 'text' ? block.text : '')).join('');
    if (!ended && stop === null) {
      throw new ModelFailure('server-error', 'the answer broke off without an end', { usage, partial: content });
    }
    refuseUnfinished(stop, content, usage);
    const calls: ToolCall[] = [];
    for (const [index, block] of blocks) {
      if (block.type !== 'tool_use') continue;
      const call = toCall(block.id, block.name, json.get(index) ?? '', block.input);
      if (!call)
        throw new ModelFailure('malformed', `the arguments of ${block.name} are not one JSON object`, { usage });
      calls.push(call);
    }
    if (content.trim() === '' && calls.length === 0) throw new ModelFailure('empty', 'it said nothing', { usage });
    const thinking = whole.filter((block) => block.type === 'thinking' || block.type === 'redacted_thinking');
    yield {
      type: 'answer',
      answer: { ok: true, provider: name, model, content, calls, ...(thinking.length > 0 ? { thinking } : {}), usage },
    };
  }

  return {
    name,
    model,
    local: false,
    contextTokens: options.contextTokens,
    async *stream(request, signal) {
      const deadline = startDeadline(clock, options.timeoutMs, signal);
      try {
        yield* converse(request, deadline);
      } catch (error) {
        yield { type: 'answer', answer: toAnswer(error, deadline, name, options) };
      } finally {
        deadline.stop();
      }
    },
    async probe() {
      // Nothing of this API is both free and telling, so only the key is looked at.
      try {
        keyOf(options);
        return { ready: true, message: 'a key is there' };
      } catch (error) {
        return {
          ready: false,
          message: messageOf(error),
          remedy: 'put a key where `key` in the configuration points to',
        };
      }
    },
  };
}

function keyOf(options: AnthropicOptions): string {
  try {
    const key = options.key();
    if (key.trim() !== '') return key.trim();
  } catch (error) {
    throw new ModelFailure('not-authorised', messageOf(error));
  }
  throw new ModelFailure('not-authorised', 'the key is empty');
}

/** A later count replaces an earlier one: some gateways know the input only at the end. */
function count(
  tokens: { input: number; output: number; cacheWrite: number; cacheRead: number },
  usage: Partial<Record<keyof Anthropic.MessageDeltaUsage, unknown>> | null | undefined,
): void {
  const number = (value: unknown, before: number) => (typeof value === 'number' && value > 0 ? value : before);
  tokens.input = number(usage?.input_tokens, tokens.input);
  tokens.output = number(usage?.output_tokens, tokens.output);
  tokens.cacheWrite = number(usage?.cache_creation_input_tokens, tokens.cacheWrite);
  tokens.cacheRead = number(usage?.cache_read_input_tokens, tokens.cacheRead);
}

function toUsage(
  model: string,
  tokens: { input: number; output: number; cacheWrite: number; cacheRead: number },
  at: number,
): ModelUsage {
  return {
    inputTokens: tokens.input + tokens.cacheWrite + tokens.cacheRead,
    outputTokens: tokens.output,
    cost: costOf(model, tokens, at),
  };
}

/** A turn that did not end by itself may hold half a call that looks like a whole one, so none of its calls count. */
function refuseUnfinished(stop: string | null, partial: string, usage: ModelUsage): void {
  switch (stop) {
    case 'max_tokens':
      throw new ModelFailure('cut-off', `the answer was cut off after ${usage.outputTokens} tokens`, {
        partial,
        usage,
      });
    case 'refusal':
      throw new ModelFailure('refused', 'the model declined to answer', { usage });
    case 'model_context_window_exceeded':
      throw new ModelFailure('context-too-small', 'the conversation fills the whole window', { partial, usage });
  }
}

function toAnswer(error: unknown, deadline: Deadline, name: string, options: AnthropicOptions) {
  const rest = error instanceof ModelFailure ? { usage: error.usage, partial: error.partial } : {};
  const from = { name, model: options.model };
  if (deadline.reason() === 'cancelled') return failedAnswer(from, 'cancelled', 'stopped by the caller', rest);
  if (deadline.reason() === 'timed-out') {
    return failedAnswer(from, 'timed-out', `no answer within ${Math.round(options.timeoutMs / 1000)} s`, rest);
  }
  if (error instanceof ModelFailure) return failedAnswer(from, error.kind, error.message, rest);
  const { status, type, headers } = partsOf(error);
  const said = type === 'overloaded_error' ? `overloaded: ${messageOf(error)}` : messageOf(error);
  if (status === null && type !== null) {
    // An error in the middle of a stream has a type and no status.
    return failedAnswer(from, /overloaded|rate_limit/.test(type) ? 'rate-limited' : 'server-error', said);
  }
  if (status !== null) {
    const wait = headers ? waitSeconds(headers) : null;
    const message = wait === null ? said : `${said} (may be asked again in ${Math.ceil(wait)} s)`;
    return failedAnswer(from, kindOfStatus(status, said), message);
  }
  if (/connection error/i.test(said) || /timed out/i.test(said)) {
    const { kind, message } = failureOfThrown(error);
    const plain = kind === 'server-error' && !message.includes('cut');
    return failedAnswer(from, plain ? 'unreachable' : kind, plain ? said : `${options.url ?? OWN_URL}: ${message}`);
  }
  const { kind, message } = failureOfThrown(error);
  return failedAnswer(from, kind, message);
}

/** The parts of the SDK's errors that are needed, looked at by shape: importing its classes would load it at start-up. */
function partsOf(error: unknown): { status: number | null; type: string | null; headers: Headers | null } {
  if (typeof error !== 'object' || error === null) return { status: null, type: null, headers: null };
  return {
    status: 'status' in error && typeof error.status === 'number' ? error.status : null,
    type: 'type' in error && typeof error.type === 'string' ? error.type : null,
    headers: 'headers' in error && error.headers instanceof Headers ? error.headers : null,
  };
}
