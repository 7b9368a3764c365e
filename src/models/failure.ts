import { messageOf } from '../base/outcome.ts';
import type { ModelAnswer, ModelFailureKind, ModelUsage } from './provider.ts';
import { noUsage } from './usage.ts';

/** A failure that is already understood, on its way to becoming the answer. It never leaves its provider. */
export class ModelFailure extends Error {
  readonly kind: ModelFailureKind;
  /** The text that had come before it broke off. */
  readonly partial: string | undefined;
  readonly usage: ModelUsage | undefined;

  constructor(kind: ModelFailureKind, message: string, rest: { partial?: string; usage?: ModelUsage } = {}) {
    super(message);
    this.name = 'ModelFailure';
    this.kind = kind;
    this.partial = rest.partial;
    this.usage = rest.usage;
  }
}

// What Ollama's runner says when memory ran out (llm/status.go of its source).
const outOfMemory =
  /out of memory|cudaMalloc failed|failed to allocate|not enough memory|requires more system memory|runner has unexpectedly stopped|no longer running/i;
const contextExceeded =
  /prompt is too long|exceed_context_size|exceeds? the (available )?context|longer than the context|context length exceeded|no user query found/i;
const malformedCall =
  /parsing tool call|invalid tool call|XML syntax error|tool '[^']*' not found|not declared|failed to parse (tool|template)/i;

/** Sorts an HTTP error of a model server by its status and, because statuses are used loosely, by its text. */
export function kindOfStatus(status: number, text: string): ModelFailureKind {
  if (contextExceeded.test(text) || status === 413) return 'context-too-small';
  if (outOfMemory.test(text)) return 'out-of-memory';
  if (malformedCall.test(text)) return 'malformed';
  if (status === 401 || status === 403) return 'not-authorised';
  if (status === 404 || status === 410) return 'not-found';
  if (status === 408 || status === 504) return 'timed-out';
  if (status === 429 || status === 529 || (status === 503 && /busy|overloaded|pending requests/i.test(text))) {
    return 'rate-limited';
  }
  return status >= 500 ? 'server-error' : 'refused';
}

const unreachableCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Sorts anything thrown while a server was spoken to. The causes of the error are looked at, too: fetch hides the code there. */
export function failureOfThrown(thrown: unknown): { kind: ModelFailureKind; message: string } {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth += 1) {
    if (error instanceof ModelFailure) return { kind: error.kind, message: error.message };
    const code = 'code' in error ? String(error.code) : '';
    if (unreachableCodes.has(code)) return { kind: 'unreachable', message: error.message || code };
    if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
      return { kind: 'timed-out', message: error.message };
    }
    if (code === 'ECONNRESET' || code === 'UND_ERR_SOCKET' || error.message === 'terminated') {
      return { kind: 'server-error', message: `the connection was cut: ${error.message}` };
    }
  }
  return { kind: kindOfStatus(500, messageOf(thrown)), message: messageOf(thrown) };
}

/** The answer that a failure becomes. */
export function failedAnswer(
  from: { name: string; model: string },
  failure: ModelFailureKind,
  message: string,
  rest: { usage?: ModelUsage; partial?: string } = {},
): ModelAnswer {
  return {
    ok: false,
    provider: from.name,
    model: from.model,
    failure,
    message,
    usage: rest.usage ?? noUsage,
    ...(rest.partial ? { partial: rest.partial } : {}),
  };
}

/** The beginning of a text on one line, for error messages. */
export function excerpt(text: string, most = 200): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > most ? `${line.slice(0, most)}…` : line;
}

/** The words in a server's error body, which is `{"error": "text"}`, `{"error": {"message"}}`, either inside the other, or text. */
export function errorText(body: string, depth = 0): string {
  try {
    const parsed: unknown = JSON.parse(body);
    const inner = textWithin(parsed);
    if (inner !== null) return depth < 3 ? errorText(inner, depth + 1) : inner;
  } catch {
    return excerpt(body, 500);
  }
  return excerpt(body, 500);
}

function textWithin(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return null;
  if ('error' in value) return textWithin(value.error);
  if ('type' in value && typeof value.type === 'string' && 'message' in value && typeof value.message === 'string') {
    return `${value.type}: ${value.message}`;
  }
  return 'message' in value ? textWithin(value.message) : null;
}
