/** A tool as a provider is told of it. `parameters` is plain JSON Schema of an object. */
export interface ToolDefinition {
  name: string;
  description: string;
  parameters: Record<string, unknown>;
}

export interface ToolCall {
  id: string;
  name: string;
  /** As the model gave them: not checked yet. */
  arguments: unknown;
}

/** One turn of a conversation, in a shape no provider owns. */
export type ModelMessage =
  | { role: 'user'; content: string }
  | { role: 'assistant'; content: string; calls: ToolCall[]; thinking?: unknown; provider?: string }
  | { role: 'tool'; callId: string; name: string; content: string; failed: boolean };

export interface ModelRequest {
  system: string;
  messages: readonly ModelMessage[];
  tools: readonly ToolDefinition[];
  /** The most tokens of the answer. */
  maxOutputTokens: number;
  /** The incident it is about, for the record of what was sent. */
  incident?: number | null;
}

export interface ModelUsage {
  inputTokens: number;
  outputTokens: number;
  /** US dollars; 0 for a local model; null when the price is not known. */
  cost: number | null;
}

/** Why a model gave no usable answer. The router tries the next provider on each of them. */
export type ModelFailureKind =
  | 'unreachable'
  | 'timed-out'
  | 'out-of-memory'
  | 'malformed'
  | 'empty'
  | 'context-too-small'
  | 'refused'
  | 'not-found'
  | 'not-authorised'
  | 'rate-limited'
  | 'server-error'
  | 'cut-off'
  | 'cancelled'
  | 'no-model';

export type ModelAnswer =
  | {
      ok: true;
      provider: string;
      model: string;
      content: string;
      calls: ToolCall[];
      thinking?: unknown;
      usage: ModelUsage;
    }
  | {
      ok: false;
      provider: string;
      model: string;
      failure: ModelFailureKind;
      message: string;
      usage: ModelUsage;
      /** The text that had come before it broke off (`cut-off`). */
      partial?: string;
    };

/** What a provider streams: deltas, and exactly one `answer` at the end, on every path. */
export type ModelEvent =
  | { type: 'text-delta'; text: string }
  | { type: 'thinking-delta'; text: string }
  | { type: 'loading'; text: string }
  | { type: 'provider-failed'; provider: string; failure: ModelFailureKind; message: string }
  | { type: 'answer'; answer: ModelAnswer };

/** Speaks one wire. `stream` never rejects: failure is the `answer`. */
export interface ModelProvider {
  /** Such as `ollama qwen3.5:9b`. */
  readonly name: string;
  readonly model: string;
  readonly local: boolean;
  /** The window in tokens that may be filled, prompt and answer together. */
  readonly contextTokens: number;
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
  /** Whether it could answer now, without asking it anything that costs. */
  probe(signal: AbortSignal): Promise<{ ready: boolean; message: string; remedy?: string }>;
}
