import { visible } from '../base/visible.ts';
import { refuseMonstrous } from './call-limits.ts';
import type { ModelEvent, ModelMessage, ModelProvider, ModelRequest, ModelUsage } from './provider.ts';

/** A request to a cloud model as it was sent, for people who want to see what left the house. */
export interface Sent {
  provider: string;
  model: string;
  body: string;
  inputTokens: number;
  outputTokens: number;
  cost: number | null;
  incident: number | null;
}

export interface OutgoingOptions {
  /** Replaces secrets and personal data. */
  redact: (text: string) => string;
  keepSent: (sent: Sent) => void;
}

/** The last door: every request is redacted once more, every answer made harmless, and what goes to a cloud model is kept, whatever comes of it. */
export function guardOutgoing(provider: ModelProvider, { redact, keepSent }: OutgoingOptions): ModelProvider {
  // The same message objects come again at every step of a conversation.
  const known = new WeakMap<ModelMessage, ModelMessage>();
  const redacted = (message: ModelMessage): ModelMessage => {
    const before = known.get(message);
    if (before) return before;
    const after = redactMessage(message, redact);
    known.set(message, after);
    return after;
  };

  return {
    name: provider.name,
    model: provider.model,
    local: provider.local,
    contextTokens: provider.contextTokens,
    probe: (signal) => provider.probe(signal),
    async *stream(request, signal) {
      const outgoing: ModelRequest = {
        ...request,
        system: redact(request.system),
        messages: request.messages.map(redacted),
      };
      let usage: ModelUsage = { inputTokens: 0, outputTokens: 0, cost: null };
      try {
        for await (const event of provider.stream(outgoing, signal)) {
          if (event.type === 'answer') usage = event.answer.usage;
          yield harmless(event);
        }
      } finally {
        if (!provider.local) {
          const { system, messages, tools } = outgoing;
          const body = JSON.stringify({ system, messages, tools });
          keepSent({
            provider: provider.name,
            model: provider.model,
            body,
            ...usage,
            incident: request.incident ?? null,
          });
        }
      }
    },
  };
}

/** What a model says is text from outside, too: it goes to a person's terminal and into the record. */
function harmless(event: ModelEvent): ModelEvent {
  if (event.type === 'provider-failed') return { ...event, message: visible(event.message) };
  if (event.type !== 'answer') return { ...event, text: visible(event.text) };
  const answer = refuseMonstrous(event.answer);
  if (!answer.ok) return { type: 'answer', answer: { ...answer, message: visible(answer.message) } };
  return { type: 'answer', answer: { ...answer, content: visible(answer.content) } };
}

function redactMessage(message: ModelMessage, redact: (text: string) => string): ModelMessage {
  if (message.role !== 'assistant') return { ...message, content: redact(message.content) };
  return {
    ...message,
    content: redact(message.content),
    calls: message.calls.map((call) => ({ ...call, arguments: redactWithin(call.arguments, redact) })),
  };
}

function redactWithin(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((each) => redactWithin(each, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, redactWithin(each, redact)]));
}
