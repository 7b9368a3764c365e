import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { isIP, connect as netConnect, type Socket } from 'node:net';
import {
  checkServerIdentity,
  createSecureContext,
  type SecureContext,
  TLSSocket,
  connect as tlsConnect,
} from 'node:tls';
import { addressOf } from './address.ts';
import { formatSpan } from './format.ts';
import { codeOf, socketTrouble } from './socket-trouble.ts';

export interface ExchangeRequest {
  url: URL;
  /** Accept a certificate nobody vouches for. */
  insecure?: boolean;
  /** Follow redirects that stay on the same origin. */
  follow?: boolean;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** At most the first 256 kB. */
  body: Buffer;
  /** True when more came than was read. */
  truncated: boolean;
  /** From the first connection to the end of the body. */
  latencyMs: number;
  /** End date of the certificate in milliseconds since the epoch; null without TLS. */
  certificateEndsAt: number | null;
}

const MAX_BODY = 256 * 1024;

type Endpoint = { address: string; port: number };

type Talked = { ok: true; answer: Answer } | { ok: false; reason: string; summary: string };

/** One request on a connection of its own. Never rejects. */
export function talk(
  request: ExchangeRequest,
  endpoint: Endpoint,
  signal: AbortSignal,
  startedAt: number,
): Promise<Talked> {
  return new Promise((resolve) => {
    const { url } = request;
    let outgoing: ClientRequest | undefined;
    let socket: Socket | undefined;
    let response: IncomingMessage | undefined;
    let settled = false;

    const finish = (result: Talked): void => {
      if (settled) return;
      settled = true;
      signal.removeEventListener('abort', onAbort);
      resolve(result);
    };
    const fail = (reason: string, summary: string): void => {
      finish({ ok: false, reason, summary });
      outgoing?.destroy();
    };
    const onAbort = (): void => {
      const waited = formatSpan(performance.now() - startedAt);
      if (response) fail('timed-out', `${response.statusCode}, but the answer did not end within ${waited}`);
      else if (socket?.connecting === false) fail('timed-out', `connected, but no answer within ${waited}`);
      else fail('timed-out', `${url.host}: no connection within ${waited}`);
    };
    const onError = (error: unknown): void => {
      if (settled) return;
      const { reason, summary } = explain(error, url.host, socket, response);
      fail(reason, summary);
    };

    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    outgoing = http.request({
      host: endpoint.address,
      port: endpoint.port,
      path: url.pathname + url.search,
      // A connection of its own each time: a kept one would hide that no new one can be made.
      headers: headersOf(url),
      createConnection: () => {
        socket = open(request, endpoint);
        return socket;
      },
    });
    outgoing.on('error', onError);
    outgoing.on('response', (incoming) => {
      response = incoming;
      const chunks: Buffer[] = [];
      let bytes = 0;
      const answered = (truncated: boolean): void =>
        finish({
          ok: true,
          answer: {
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks),
            truncated,
            latencyMs: performance.now() - startedAt,
            certificateEndsAt: endDate(socket),
          },
        });
      incoming.on('data', (chunk: Buffer) => {
        if (settled) return;
        chunks.push(chunk.length > MAX_BODY - bytes ? chunk.subarray(0, MAX_BODY - bytes) : chunk);
        bytes += chunk.length;
        if (bytes <= MAX_BODY) return;
        answered(true);
        outgoing?.destroy();
      });
      incoming.on('end', () => answered(false));
      incoming.on('error', onError);
    });
    // Whatever else happened, a closed connection brings nothing more; a complete answer has its own end.
    outgoing.on('close', () => {
      if (!response) fail('reset', `${url.host}: the connection ended without an answer`);
      else if (!response.complete) fail('reset', cutOff(response));
    });
    outgoing.end();
  });
}

/** As a list, which Node writes out as it stands. */
function headersOf(url: URL): string[] {
  const headers = ['Host', url.host, 'User-Agent', 'nightshift', 'Accept', '*/*', 'Connection', 'close'];
  if (url.username === '') return headers;
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return [...headers, 'Authorization', `Basic ${Buffer.from(credentials).toString('base64')}`];
}

let shared: SecureContext | undefined;

function open({ url, insecure }: ExchangeRequest, { address, port }: Endpoint): Socket {
  if (url.protocol !== 'https:') return netConnect({ host: address, port });
  // Reading the root certificates takes milliseconds: once is enough.
  shared ??= createSecureContext();
  const name = addressOf(url);
  return tlsConnect({
    host: address,
    port,
    secureContext: shared,
    rejectUnauthorized: !insecure,
    ALPNProtocols: ['http/1.1'],
    ...(isIP(name) === 0 ? { servername: name } : {}),
    // The address may be a tunnel's: the name that counts is the one in the URL.
    checkServerIdentity: (_address, certificate) => checkServerIdentity(name, certificate),
  });
}

function endDate(socket: Socket | undefined): number | null {
  if (!(socket instanceof TLSSocket)) return null;
  const ends = Date.parse(socket.getPeerCertificate()?.valid_to ?? '');
  return Number.isNaN(ends) ? null : ends;
}

const cutOff = ({ statusCode }: IncomingMessage): string =>
  `${statusCode}, but the connection ended in the middle of the body`;

function explain(
  error: unknown,
  where: string,
  socket: Socket | undefined,
  response: IncomingMessage | undefined,
): { reason: string; summary: string } {
  const code = codeOf(error);
  if (code === 'HPE_HEADER_OVERFLOW')
    return { reason: 'too-large', summary: `${where}: its header is larger than 16 kB` };
  if (response) return { reason: 'reset', summary: cutOff(response) };
  // The parser's word for a connection that closed inside the header.
  const cut = code === 'HPE_INVALID_EOF_STATE' || code === 'ECONNRESET' || code === 'EPIPE';
  if (cut && (socket?.bytesRead ?? 0) > 0)
    return { reason: 'reset', summary: `${where}: the connection ended in the middle of the header` };
  if (code.startsWith('HPE_')) return { reason: 'not-http', summary: `${where}: what answers does not speak HTTP` };
  if (code === 'ECONNRESET')
    return { reason: 'reset', summary: `${where}: the connection was closed without an answer` };
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'EPROTO' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG')
    return { reason: 'not-tls', summary: `${where}: what answers does not speak TLS` };
  return (
    socketTrouble(error, where) ?? {
      reason: 'failed',
      summary: `${where}: ${error instanceof Error ? error.message : String(error)}`,
    }
  );
}
