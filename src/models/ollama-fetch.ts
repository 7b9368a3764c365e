import { errorText, excerpt, kindOfStatus, ModelFailure } from './failure.ts';

/** The largest answer that is read, in bytes: a server that babbles must not fill the memory. */
const LARGEST = 32 * 1024 * 1024;
const LARGEST_ERROR = 64 * 1024;
const NEWLINE = 10;
const BRACE = 123;

/**
 * Stands between the `ollama` client and the wire. Every request gets our signal (the client's own abort does not reach a
 * request whose headers have not come). Error statuses and bodies that are not JSON become a `ModelFailure` here, so that
 * the client never sees them: it would write to stdout about some, and print others to stderr. `onEnd` hears when a body is whole.
 */
export function guardFetch(inner: typeof fetch, signal: AbortSignal, onEnd?: () => void): typeof fetch {
  return async (input, init) => {
    const response = await inner(input, { ...init, signal });
    if (!response.ok) {
      const text = errorText(await readSome(response, LARGEST_ERROR));
      const where = new URL(input instanceof Request ? input.url : input).host;
      throw new ModelFailure(kindOfStatus(response.status, text), `${where} answered ${response.status}: ${text}`);
    }
    if (!response.body) return response;
    return new Response(onlyJsonLines(response.body, onEnd), { status: response.status, headers: response.headers });
  };
}

/** Passes a body on while each of its lines begins as a JSON object does. */
function onlyJsonLines(body: ReadableStream<Uint8Array>, onEnd?: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let atLineStart = true;
  let size = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) {
        onEnd?.();
        return controller.close();
      }
      size += value.byteLength;
      const stray = strayStart(value, atLineStart);
      if (stray.found !== -1 || size > LARGEST) {
        void reader.cancel();
        const shown = excerpt(Buffer.from(value).subarray(Math.max(stray.found, 0)).toString('utf8'));
        throw size > LARGEST
          ? new ModelFailure('server-error', `more than ${LARGEST / 1024 / 1024} MB of answer; it was cut off`)
          : new ModelFailure('server-error', `not a model server's answer: "${shown}". Is the url that of Ollama?`);
      }
      atLineStart = stray.atLineStart;
      controller.enqueue(value);
    },
    async cancel() {
      await reader.cancel();
    },
  });
}

function strayStart(bytes: Uint8Array, atLineStart: boolean): { found: number; atLineStart: boolean } {
  let position = 0;
  let starts = atLineStart;
  while (position < bytes.length) {
    if (starts) {
      const byte = bytes[position] ?? 0;
      if (byte <= 32) {
        position += 1;
        continue;
      }
      if (byte !== BRACE) return { found: position, atLineStart: false };
      starts = false;
    }
    const next = bytes.indexOf(NEWLINE, position);
    if (next === -1) return { found: -1, atLineStart: false };
    position = next + 1;
    starts = true;
  }
  return { found: -1, atLineStart: starts };
}

async function readSome(response: Response, most: number): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return '';
  const parts: Uint8Array[] = [];
  for (let size = 0; size < most; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.byteLength;
  }
  void reader.cancel();
  return Buffer.concat(parts).subarray(0, most).toString('utf8');
}
