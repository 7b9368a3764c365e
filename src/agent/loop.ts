import { messageOf } from '../base/outcome.ts';
import { startDeadline } from '../models/deadline.ts';
import { failedAnswer } from '../models/failure.ts';
import type { ModelAnswer, ModelEvent, ToolCall } from '../models/provider.ts';
import { callInText, runCalls, withIds } from './calls.ts';
import { createContext, resultCharacters } from './context.ts';
import type { AgentEvent, RunEnd } from './events.ts';
import { parseAnswer, problemWith, verifyEvidence } from './evidence.ts';
import { createFence } from './fence.ts';
import { endInWords, type LastWord, lastWordFor } from './last-word.ts';
import { createLedger } from './ledger.ts';
import { createRepeatWatch } from './repeats.ts';
import { createResults, readAgainTool } from './results.ts';
import type { RunOptions, RunResult } from './run.ts';

type Steps<Result = void> = AsyncGenerator<AgentEvent, Result>;

/**
 * Asks the model, runs the tools it called, appends, and repeats until it answers or something runs out; then it is asked
 * once more, without tools, for what it has. It never throws for what a model or a tool does, its conversation always fits
 * the window, and each `-start` has its `-end`, for `listen` also when the reader leaves early.
 */
export async function* runAgent(options: RunOptions): Steps<RunResult> {
  const { run, limits, clock, model, purpose, incident } = options;
  const contextTokens = Math.min(limits.contextTokens, model.contextTokens ?? limits.contextTokens);
  const ledger = createLedger(run, options.listen);
  const deadline = startDeadline(clock, limits.milliseconds, options.signal);
  const fence = options.fence ?? createFence();
  const repeats = createRepeatWatch();
  const results = createResults(resultCharacters({ ...limits, contextTokens }), options.given);
  const tools = options.tools.length > 0 ? [...options.tools, readAgainTool(results)] : [];
  const definitions = tools.map(({ name, description, parameters }) => ({ name, description, parameters }));
  const system = `${options.system}\n\n${fence.rule}`;
  const opening = [...(options.earlier ?? []), { role: 'user' as const, content: options.question }];
  const context = createContext({ ...limits, contextTokens, system, tools: definitions, opening });
  const callIds = new Set<string>();
  const said = [...opening];
  let circled = false;
  let corrected = false;

  try {
    yield ledger.tell({ type: 'run-start', run, purpose, tools: tools.map((tool) => tool.name) });
    for (;;) {
      const last = whyLast();
      if (last !== null) return yield* lastWord(last);
      const answer = yield* ask(deadline.signal);
      if (!answer.ok) {
        if (deadline.reason() === 'timed-out') return yield* lastWord('out-of-time');
        return yield* end(deadline.reason() === 'cancelled' ? 'cancelled' : 'model-failed', answer, answer.message);
      }
      const calls = callsOf(answer);
      keep({ role: 'assistant', content: answer.content, calls, thinking: answer.thinking, provider: answer.provider });
      if (calls.length > 0) yield* runAll(calls);
      else {
        const problem = corrected ? null : problemIn(answer.content);
        if (problem === null) return yield* end('answered', answer);
        corrected = true;
        yield* correct(problem);
      }
    }
  } finally {
    // Whoever leaves early leaves nothing running and nothing open behind.
    deadline.stop();
    ledger.close();
  }

  /** What makes the next request the last one, if anything does. */
  function whyLast(): LastWord | null {
    const { inputTokens, outputTokens, cost } = ledger.usage;
    if (options.signal.aborted) return 'cancelled';
    if (deadline.reason() === 'timed-out') return 'out-of-time';
    if (circled) return 'circled';
    if (inputTokens + outputTokens >= limits.tokens) return 'out-of-tokens';
    if (limits.dollars !== undefined && (cost ?? 0) >= limits.dollars) return 'out-of-tokens';
    return ledger.steps >= limits.steps - 1 ? 'out-of-steps' : null;
  }

  /** One request; its deltas as they come, and its answer. A provider that throws has a bug, and has failed like any other. */
  async function* ask(signal: AbortSignal, offered = definitions): Steps<ModelAnswer> {
    const step = ledger.nextStep();
    const name = model.name ?? 'model';
    const request = {
      system,
      messages: context.fitted(),
      tools: offered,
      maxOutputTokens: limits.maxOutputTokens,
      incident,
    };
    yield ledger.tell({ type: 'model-start', run, step, provider: name, promptTokens: context.tokens() });
    let answer = failedAnswer({ name, model: name }, 'server-error', 'it ended without an answer');
    try {
      for await (const event of model.stream(request, signal)) {
        if (event.type === 'answer') answer = event.answer;
        else yield ledger.tell(asAgentEvent(event, step));
      }
    } catch (error) {
      answer = failedAnswer({ name, model: name }, 'server-error', `it broke off: ${messageOf(error)}`);
    }
    const failed = answer.ok ? {} : { failure: answer.failure, message: answer.message };
    yield ledger.tell({ type: 'model-end', run, step, provider: answer.provider, usage: answer.usage, ...failed });
    return answer;
  }

  function asAgentEvent(event: Exclude<ModelEvent, { type: 'answer' }>, step: number): AgentEvent {
    if (event.type === 'loading') return { type: 'model-loading', run, step, text: event.text };
    return { ...event, run, step };
  }

  function callsOf({ calls, content }: Extract<ModelAnswer, { ok: true }>): ToolCall[] {
    const inText = calls.length === 0 ? callInText(content, tools, '') : null;
    return withIds(inText ? [inText] : calls, callIds, ledger.steps);
  }

  async function* runAll(calls: readonly ToolCall[]): Steps {
    const running = runCalls(calls, { tools, results, repeats, fence, clock, signal: deadline.signal });
    for (;;) {
      const next = await running.next();
      if (next.done) {
        for (const { message, brief } of next.value) keep(message, brief);
        break;
      }
      yield ledger.tell({ ...next.value, run, step: ledger.steps });
    }
    const verdict = repeats.verdict();
    circled = verdict.kind === 'stop';
    if (verdict.kind === 'warn') yield* correct(verdict.text);
  }

  async function* correct(text: string): Steps {
    keep({ role: 'user', content: text });
    yield ledger.tell({ type: 'correction', run, step: ledger.steps, text });
  }

  /** The tools are taken away, and it must say what it has: within a time of its own, for its run's may be over. */
  async function* lastWord(why: LastWord): Steps<RunResult> {
    if (why === 'cancelled') return yield* end('cancelled', null, endInWords(why, limits));
    yield* correct(lastWordFor(why));
    const grace = startDeadline(clock, Math.max(30_000, limits.milliseconds / 4), options.signal);
    try {
      const answer = yield* ask(grace.signal, []);
      const cancelled = grace.reason() === 'cancelled';
      const message = answer.ok ? endInWords(why, limits) : `${endInWords(why, limits)}; then: ${answer.message}`;
      if (answer.ok) keep({ role: 'assistant', content: answer.content, calls: [], provider: answer.provider });
      return yield* end(
        cancelled ? 'cancelled' : why === 'circled' ? (answer.ok ? 'answered' : 'model-failed') : why,
        answer,
        message,
      );
    } finally {
      grace.stop();
    }
  }

  function keep(message: (typeof said)[number], brief?: string): void {
    context.add(message, brief);
    said.push(message);
  }

  function problemIn(text: string): string | null {
    const parsed = parseAnswer(text);
    return problemWith(purpose, parsed, verifyEvidence(parsed.evidence, results.records));
  }

  async function* end(how: RunEnd, answer: ModelAnswer | null, message?: string): Steps<RunResult> {
    const text = answer === null ? '' : answer.ok ? answer.content : (answer.partial ?? '');
    const parsed = parseAnswer(text);
    const evidence = verifyEvidence(parsed.evidence, results.records);
    const { steps } = ledger;
    const { usage } = ledger;
    yield ledger.tell({
      type: 'run-end',
      run,
      end: how,
      text,
      steps,
      usage,
      evidence,
      ...(message ? { message } : {}),
    });
    const provider = answer?.ok ? answer.provider : null;
    return {
      end: how,
      text,
      answer: parsed,
      evidence,
      results: results.records,
      messages: said,
      usage,
      steps,
      provider,
      message,
    };
  }
}
