import type { ModelAnswer, ModelEvent, ModelRequest, ToolCall } from '../../src/models/provider.ts';

/** One scripted answer: text, calls, a failure, or a look at the request that decides. */
export type Scripted =
  | { text?: string; calls?: { name: string; arguments?: unknown; id?: string }[]; thinking?: string; tokens?: number }
  | { failure: Extract<ModelAnswer, { ok: false }>['failure']; message?: string }
  | { hang: true }
  | ((request: ModelRequest) => Scripted);

/** A model that answers from a script, keeps every request, and throws on a call too many. */
export class ScriptedModel {
  readonly name = 'scripted';
  readonly model = 'scripted';
  readonly local = true;
  readonly contextTokens: number;
  readonly requests: ModelRequest[] = [];
  /** Requests whose stream was left or aborted before its answer. */
  abandoned = 0;
  readonly #script: Scripted[];

  constructor(script: Scripted[], contextTokens = 16_384) {
    this.#script = [...script];
    this.contextTokens = contextTokens;
  }

  async *stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    this.requests.push({ ...request, messages: [...request.messages] });
    let next = this.#script.shift();
    while (typeof next === 'function') next = next(request);
    if (next === undefined) throw new Error(`the scripted model was asked once too often (${this.requests.length})`);
    let answered = false;
    try {
      if ('hang' in next) {
        await new Promise<void>((resolve) => {
          if (signal.aborted) resolve();
          else signal.addEventListener('abort', () => resolve(), { once: true });
        });
        next = { failure: 'cancelled', message: 'stopped by the caller' };
      }
      if (signal.aborted) next = { failure: 'cancelled', message: 'stopped by the caller' };
      answered = true;
      if ('failure' in next) {
        yield { type: 'answer', answer: this.#failed(next.failure, next.message ?? 'as scripted') };
        return;
      }
      if (next.thinking) yield { type: 'thinking-delta', text: next.thinking };
      if (next.text) yield { type: 'text-delta', text: next.text };
      const calls = (next.calls ?? []).map(
        (call, index): ToolCall => ({
          id: call.id ?? `s${this.requests.length}_${index}`,
          name: call.name,
          arguments: call.arguments ?? {},
        }),
      );
      const usage = { inputTokens: next.tokens ?? 10, outputTokens: 5, cost: 0 };
      yield {
        type: 'answer',
        answer: { ok: true, provider: this.name, model: this.model, content: next.text ?? '', calls, usage },
      };
    } finally {
      if (!answered) this.abandoned += 1;
    }
  }

  async probe() {
    return { ready: true, message: 'ready' };
  }

  /** Fails when part of the script was never asked for. */
  assertComplete(): void {
    if (this.#script.length > 0) throw new Error(`${this.#script.length} scripted answers were never asked for`);
  }

  #failed(failure: Extract<ModelAnswer, { ok: false }>['failure'], message: string): ModelAnswer {
    const usage = { inputTokens: 0, outputTokens: 0, cost: 0 };
    return { ok: false, provider: this.name, model: this.model, failure, message, usage };
  }
}
