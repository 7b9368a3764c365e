import type { ModelAnswer, ModelEvent, ModelMessage, ModelRequest } from '../../src/models/provider.ts';

export const request = (
  messages: ModelMessage[] = [{ role: 'user', content: 'Why?' }],
  more: Partial<ModelRequest> = {},
) => ({
  system: 'You look after machines.',
  messages,
  tools: [],
  maxOutputTokens: 500,
  ...more,
});

/** Reads a provider's stream to its end; throws unless it has exactly one answer, and that last. */
export async function readStream(
  model: { stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent> },
  asked: ModelRequest = request(),
  signal: AbortSignal = new AbortController().signal,
): Promise<{ events: ModelEvent[]; answer: ModelAnswer }> {
  const events: ModelEvent[] = [];
  for await (const event of model.stream(asked, signal)) events.push(event);
  const last = events.at(-1);
  const answers = events.filter((event) => event.type === 'answer').length;
  if (last?.type !== 'answer' || answers !== 1) throw new Error(`${answers} answers, the last event is ${last?.type}`);
  return { events, answer: last.answer };
}
