import type { IncomingMessage } from 'node:http';
import { ModelFailure } from './failure.ts';

/**
 * A `fetch` over node:http. The built-in one gives up after 301 s without a header, which a cold load and a long prompt on
 * a slow machine can take, and that limit cannot be changed without another package. Here only the caller's signal and,
 * until the socket is connected, `connectMs` end a request. Takes what the `ollama` client sends: a string body, plain headers.
 */
export function createHttpFetch(connectMs = 10_000): typeof fetch {
  const loaded: { http?: typeof import('node:http'); https?: typeof import('node:https') } = {};
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const secure = url.protocol === 'https:';
    if (secure) loaded.https ??= await import('node:https');
    else loaded.http ??= await import('node:http');
    const request = (secure ? loaded.https : loaded.http)?.request;
    if (!request) throw new TypeError(`${url.protocol} is not spoken here`);
    const body = typeof init?.body === 'string' ? Buffer.from(init.body) : undefined;
    const headers: Record<string, string> = Object.fromEntries(new Headers(init?.headers ?? {}));
    if (body !== undefined) headers['content-length'] = String(body.byteLength);
    const signal = init?.signal ?? undefined;

    const once = () =>
      new Promise<IncomingMessage>((resolve, reject) => {
        const sent = request(url, { method: init?.method ?? 'GET', headers, signal }, resolve);
        sent.on('socket', (socket) => {
          if (!socket.connecting) return;
          const timer = setTimeout(() => sent.destroy(connectTimeout(url, connectMs)), connectMs);
          socket.once('connect', () => clearTimeout(timer));
          socket.once('close', () => clearTimeout(timer));
        });
        sent.on('error', (error: NodeJS.ErrnoException) => {
          // A kept-alive socket that the server closed just now: the request never got there, so it may be sent again.
          if (sent.reusedSocket && error.code === 'ECONNRESET' && !signal?.aborted) once().then(resolve, reject);
          else reject(error);
        });
        sent.end(body);
      });
    return toResponse(await once());
  };
}

const connectTimeout = (url: URL, milliseconds: number) =>
  new ModelFailure('unreachable', `no connection to ${url.host} within ${milliseconds / 1000} s`);

function toResponse(incoming: IncomingMessage): Response {
  const headers = new Headers();
  for (let index = 0; index + 1 < incoming.rawHeaders.length; index += 2) {
    headers.append(incoming.rawHeaders[index] ?? '', incoming.rawHeaders[index + 1] ?? '');
  }
  const status = incoming.statusCode ?? 500;
  const bodyless = status === 204 || status === 205 || status === 304;
  if (bodyless) incoming.resume();
  // Response takes no status below 200 or above 599; a server that sends one is a broken server.
  return new Response(bodyless ? null : toWebStream(incoming), {
    status: status < 200 || status > 599 ? 502 : status,
    headers,
  });
}

function toWebStream(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  let ended = false;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      incoming.on('data', (chunk: Buffer) => {
        if (ended) return;
        controller.enqueue(chunk);
        if ((controller.desiredSize ?? 0) <= 0) incoming.pause();
      });
      incoming.on('end', () => {
        if (!ended) controller.close();
        ended = true;
      });
      incoming.on('error', (error) => {
        if (!ended) controller.error(error);
        ended = true;
      });
    },
    pull() {
      incoming.resume();
    },
    cancel() {
      ended = true;
      incoming.destroy();
    },
  });
}
