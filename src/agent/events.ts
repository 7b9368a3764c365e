import type { Evidence } from '../incidents/incident.ts';
import type { ModelFailureKind, ModelUsage } from '../models/provider.ts';

/** How a run of the loop ended. */
export type RunEnd = 'answered' | 'out-of-steps' | 'out-of-time' | 'out-of-tokens' | 'model-failed' | 'cancelled';

/**
 * Everything that happens in a run of the agent loop, in order. Every `-start` has exactly one `-end` on every path; the
 * terminal, the log, the store and the evals are readers of these and of nothing else.
 */
export type AgentEvent =
  | { type: 'run-start'; run: string; purpose: 'triage' | 'ask'; tools: string[] }
  | { type: 'model-start'; run: string; step: number; provider: string; promptTokens: number }
  | { type: 'model-loading'; run: string; step: number; text: string }
  | { type: 'provider-failed'; run: string; step: number; provider: string; failure: ModelFailureKind; message: string }
  | { type: 'text-delta'; run: string; step: number; text: string }
  | { type: 'thinking-delta'; run: string; step: number; text: string }
  | {
      type: 'model-end';
      run: string;
      step: number;
      provider: string;
      usage: ModelUsage;
      failure?: ModelFailureKind;
      message?: string;
    }
  | { type: 'tool-start'; run: string; step: number; call: string; tool: string; arguments: unknown; title: string }
  | {
      type: 'tool-end';
      run: string;
      step: number;
      call: string;
      tool: string;
      ok: boolean;
      result: string;
      content: string;
      durationMs: number;
    }
  | { type: 'correction'; run: string; step: number; text: string }
  | {
      type: 'run-end';
      run: string;
      end: RunEnd;
      text: string;
      steps: number;
      usage: ModelUsage;
      evidence: Evidence[];
      message?: string;
    };
