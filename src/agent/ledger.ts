import type { ModelUsage } from '../models/provider.ts';
import { noUsage, sumUsage } from '../models/usage.ts';
import type { AgentEvent } from './events.ts';

type Start = Extract<AgentEvent, { type: 'run-start' | 'model-start' | 'tool-start' }>;

/** What a run has said so far: it knows what is still open, and can close it. */
interface Ledger {
  readonly steps: number;
  readonly usage: ModelUsage;
  /** Notes an event and tells the listener; hands the event back to be yielded. */
  tell(event: AgentEvent): AgentEvent;
  nextStep(): number;
  /** Ends whatever has begun and not ended, the innermost first. Does nothing after a proper end. */
  close(): void;
}

export function createLedger(run: string, listen: ((event: AgentEvent) => void) | undefined): Ledger {
  const open = new Map<string, Start>();
  let steps = 0;
  let usage = noUsage;

  const tell = (event: AgentEvent): AgentEvent => {
    const { type } = event;
    if (type === 'run-start' || type === 'model-start' || type === 'tool-start') open.set(keyOf(event), event);
    if (type === 'run-end' || type === 'model-end' || type === 'tool-end') open.delete(keyOf(event));
    if (type === 'model-end') usage = sumUsage(usage, event.usage);
    listen?.(event);
    return event;
  };

  return {
    get steps() {
      return steps;
    },
    get usage() {
      return usage;
    },
    tell,
    nextStep: () => {
      steps += 1;
      return steps;
    },
    close() {
      for (const start of [...open.values()].reverse()) tell(endOf(start));
    },
  };

  function endOf(start: Start): AgentEvent {
    const left = 'nobody reads on; it was stopped';
    switch (start.type) {
      case 'run-start':
        return { type: 'run-end', run, end: 'cancelled', text: '', steps, usage, evidence: [], message: left };
      case 'model-start': {
        const { step, provider } = start;
        return { type: 'model-end', run, step, provider, usage: noUsage, failure: 'cancelled', message: left };
      }
      case 'tool-start': {
        const { step, call, tool } = start;
        return { type: 'tool-end', run, step, call, tool, ok: false, result: '', content: left, durationMs: 0 };
      }
    }
  }
}

/** A start and its end have the same key. */
function keyOf(event: AgentEvent): string {
  if ('call' in event) return `tool ${event.call}`;
  return 'step' in event ? `model ${event.step}` : 'run';
}
