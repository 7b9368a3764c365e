import { randomUUID } from 'node:crypto';
import type { Evidence } from '../incidents/incident.ts';
import type { ModelMessage } from '../models/provider.ts';
import { answerWithoutModel } from './answer-without-model.ts';
import { chooseTools, describeInventory } from './choose-tools.ts';
import { createFence } from './fence.ts';
import { runAgent } from './loop.ts';
import type { AgentParts } from './parts.ts';
import { loadPrompt } from './prompt.ts';
import { createToolbox } from './toolbox.ts';

/** An answer with what it stands on. */
export interface AskAnswer {
  question: string;
  text: string;
  evidence: Evidence[];
  notChecked: string[];
  next: string | null;
  /** Such as: no model was there. */
  note: string | null;
  model: string | null;
}

/** What is heard while a question is answered. The last event is the answer, on every path. */
export type AskEvent =
  | { type: 'looking'; title: string }
  | { type: 'loading'; text: string }
  | { type: 'provider-failed'; text: string }
  | { type: 'text-delta'; text: string }
  | { type: 'answer'; answer: AskAnswer };

/** Answers a question from live evidence, with looking tools only; without a model from status, history and runbooks. */
export async function* ask(
  parts: AgentParts,
  question: string,
  earlier: readonly { question: string; answer: string }[],
  signal: AbortSignal,
): AsyncGenerator<AskEvent> {
  if (parts.model === null) {
    yield* answerWithoutModel(
      parts,
      question,
      'no model is configured, so this comes from status, history and runbooks alone',
      signal,
    );
    return;
  }
  const { config } = parts;
  const services = [...config.services.keys()];
  const scope = { services, hosts: [...new Set([...config.services.values()].map((service) => service.host))] };
  const fence = createFence();
  const toolbox = createToolbox({
    tools: chooseTools(parts.tools, config, scope, question),
    context: parts.toolContext(scope, signal),
    redact: parts.redact,
  });
  const messages: ModelMessage[] = earlier.flatMap((turn) => [
    { role: 'user', content: turn.question },
    { role: 'assistant', content: turn.answer, calls: [] },
  ]);
  const run = runAgent({
    run: randomUUID(),
    purpose: 'ask',
    question: parts.redact(question),
    earlier: messages,
    model: parts.model,
    tools: toolbox.tools,
    fence,
    signal,
    clock: parts.clock,
    system: loadPrompt('ask').fill({
      name: config.name,
      inventory: describeInventory(config, services) || '- nothing that was named',
      now: new Date(parts.clock.now()).toString(),
    }),
    limits: {
      steps: config.limits.model_steps,
      milliseconds: config.limits.model_seconds_per_incident * 1000,
      tokens: config.limits.model_tokens_per_incident,
      contextTokens: parts.model.contextTokens,
      maxOutputTokens: Math.min(4096, Math.floor(parts.model.contextTokens / 4)),
    },
  });
  let next = await run.next();
  for (; !next.done; next = await run.next()) {
    const event = next.value;
    if (event.type === 'tool-start') yield { type: 'looking', title: event.title };
    else if (event.type === 'model-loading') yield { type: 'loading', text: event.text };
    else if (event.type === 'provider-failed')
      yield { type: 'provider-failed', text: `${event.provider}: ${event.message}` };
    else if (event.type === 'text-delta') yield { type: 'text-delta', text: event.text };
  }
  const result = next.value;
  if (result.end === 'model-failed') {
    yield* answerWithoutModel(
      parts,
      question,
      `no model answered (${result.message ?? 'no reason given'}), so this comes from status, history and runbooks alone`,
      signal,
    );
    return;
  }
  yield {
    type: 'answer',
    answer: {
      question,
      text: result.answer.text || result.text,
      evidence: result.evidence,
      notChecked: result.answer.notChecked,
      next: result.answer.next,
      note: result.end === 'answered' ? null : (result.message ?? result.end),
      model: result.provider,
    },
  };
}
