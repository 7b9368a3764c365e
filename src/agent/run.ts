import type { Clock } from '../base/clock.ts';
import type { Evidence } from '../incidents/incident.ts';
import type { ModelMessage, ModelProvider, ModelUsage, ToolDefinition } from '../models/provider.ts';
import type { AgentEvent, RunEnd } from './events.ts';
import type { Answer, ResultRecord } from './evidence.ts';
import type { Fence } from './fence.ts';

/** What the loop asks: one provider, or a router over several. */
export type LoopModel = Pick<ModelProvider, 'stream'> & Partial<Pick<ModelProvider, 'name' | 'contextTokens'>>;

/** A tool as the loop sees it. `createToolbox` makes these out of tools. */
export interface LoopTool extends ToolDefinition {
  /** True when it changes something: it then runs alone, and only once those before it have ended. */
  acts: boolean;
  /** Looks at the arguments a model gave. `title` is for people: `logs(api)`. The message goes back to the model. */
  check(given: unknown): { ok: true; value: unknown; title: string } | { ok: false; message: string };
  /** Never rejects for an expected failure; what it throws is shown to the model as a failed call. */
  run(value: unknown, signal: AbortSignal): Promise<LoopToolResult>;
}

export interface LoopToolResult {
  ok: boolean;
  /** The whole of it; the loop cuts it to size and keeps the rest to be read again. */
  content: string;
  title?: string;
  /** The id it was recorded under; the loop gives it one when it has none. */
  result?: string;
  /** What of the result named is shown again: nothing new is recorded then. */
  shown?: string;
}

export interface RunLimits {
  /** Times the model is asked, the last word included. */
  steps: number;
  milliseconds: number;
  /** Tokens read and written, over all requests. */
  tokens: number;
  /** US dollars; absent: no limit. A request whose price is not known counts as nothing. */
  dollars?: number;
  /** The window: what is sent and what is answered fit into it together. */
  contextTokens: number;
  maxOutputTokens: number;
}

export interface RunOptions {
  run: string;
  purpose: 'triage' | 'ask';
  system: string;
  /** The first message. Outside text in it should be fenced with `fence`. */
  question: string;
  /** What was said before, in a conversation. */
  earlier?: readonly ModelMessage[];
  model: LoopModel;
  tools: readonly LoopTool[];
  limits: RunLimits;
  clock: Clock;
  signal: AbortSignal;
  fence?: Fence;
  /** The incident it is about, for the record of what was sent. */
  incident?: number | null;
  /** What the question already shows, which the answer may quote, too. */
  given?: readonly ResultRecord[];
  /**
   * Hears every event at the moment it happens. Those who read the generator hear the same, unless they leave it early: then only
   * this hears how the run ended.
   */
  listen?: (event: AgentEvent) => void;
}

export interface RunResult {
  end: RunEnd;
  text: string;
  answer: Answer;
  evidence: Evidence[];
  /** Everything that was seen, by its id. */
  results: ReadonlyMap<string, ResultRecord>;
  messages: readonly ModelMessage[];
  usage: ModelUsage;
  steps: number;
  /** The provider that gave the last answer. */
  provider: string | null;
  /** Why it ended early, and what is missing. */
  message?: string;
}
