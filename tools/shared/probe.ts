import { lookup } from 'node:dns/promises';
import http from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { messageOf } from '../../src/base/outcome.ts';
import { codeOf, socketTrouble } from '../../src/health/socket-trouble.ts';
import type { Host, ReachedEndpoint } from '../../src/hosts/host.ts';
import type { Endpoint } from './endpoints.ts';

interface ProbeStep {
  step: 'dns' | 'connect' | 'tls' | 'answer';
  ms: number;
  said: string;
}

/** How far a connection got. `failure` is a stable word: `dns`, `refused`, `timed-out`, `no-answer`, `tls-expired`, `reset` ... */
interface Probe {
  steps: ProbeStep[];
  failure: string | null;
  explanation: string | null;
  status: number | null;
  /** The first of what came back. */
  body: string;
}

const BODY_BYTES = 2048;
/** The first words of a protocol whose server speaks only when spoken to. */
const GREETINGS: Readonly<Record<string, Buffer>> = {
  redis: Buffer.from('PING\r\n'),
  // An SSLRequest of Postgres: it answers with one letter before any login.
  postgres: Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]),
};

/** Goes step by step: name, connection, TLS, first byte. Never rejects; ends at `timeoutMs` or when the signal aborts. */
export async function probe(endpoint: Endpoint, host: Host, timeoutMs: number, signal: AbortSignal): Promise<Probe> {
  const result: Probe = { steps: [], failure: null, explanation: null, status: null, body: '' };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const fail = (failure: string, explanation: string): Probe => ({ ...result, failure, explanation });
  const where = `${endpoint.address}:${endpoint.port}`;
  let began = performance.now();
  const step = (name: ProbeStep['step'], said: string) => {
    result.steps.push({ step: name, ms: Math.round((performance.now() - began) * 10) / 10, said });
    began = performance.now();
  };
  if (host.kind === 'local' && isIP(endpoint.address) === 0) {
    try {
      const found = await before(limit, lookup(endpoint.address, { all: true }));
      step('dns', found.map(({ address }) => address).join(', '));
    } catch (thrown) {
      if (limit.aborted)
        return fail(
          'dns',
          `looking up ${endpoint.address} took longer than ${timeoutMs} ms: the DNS server does not answer`,
        );
      const known = socketTrouble(thrown, where);
      return fail('dns', known?.summary ?? messageOf(thrown));
    }
  }
  const reached = await host.reach(endpoint.address, endpoint.port);
  if (!reached.ok) return fail('unreachable', `${where} cannot be reached from ${host.name}: ${reached.error}`);
  await using place = reached.value;
  let socket: Socket | null = null;
  try {
    socket = await before(limit, opened(place, limit));
    step('connect', `accepted by ${where}`);
    if (endpoint.tls) {
      const secure = await before(limit, secured(socket, endpoint));
      socket = secure;
      step(
        'tls',
        `${secure.getProtocol() ?? 'TLS'}, certificate ends ${secure.getPeerCertificate()?.valid_to ?? 'unknown'}`,
      );
    }
    const answer = await before(limit, asked(socket, endpoint));
    result.status = answer.status;
    result.body = answer.body;
    step('answer', answer.said);
    return result;
  } catch (thrown) {
    const got = result.steps.at(-1)?.step;
    if (!limit.aborted) {
      const known = socketTrouble(thrown, where);
      const silent = host.kind === 'ssh' && known?.reason === 'reset';
      return silent
        ? fail('refused', `${where}: connection refused on ${host.name}`)
        : fail(known?.reason ?? 'failed', known?.summary ?? `${where}: ${messageOf(thrown)} ${codeOf(thrown)}`.trim());
    }
    if (got === undefined || got === 'dns')
      return fail(
        'timed-out',
        `${where}: no connection within ${timeoutMs} ms: nothing answers there, or a firewall drops it`,
      );
    if (got === 'connect' && endpoint.tls)
      return fail('no-answer', `${where} accepts connections, but says nothing to a TLS hello within ${timeoutMs} ms`);
    return fail(
      'no-answer',
      `${where} accepts connections, but not one byte of an answer came within ${timeoutMs} ms: the process hangs or is overloaded`,
    );
  } finally {
    socket?.on('error', () => undefined);
    socket?.destroy();
  }
}

function before<Value>(signal: AbortSignal, promise: Promise<Value>): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(new Error('out of time'));
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  return Promise.race([promise, late]).finally(() => signal.removeEventListener('abort', onAbort));
}

function opened({ address, port }: ReachedEndpoint, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    signal.addEventListener('abort', () => socket.destroy(), { once: true });
    socket.once('error', reject);
    socket.once('connect', () => resolve(socket));
  });
}

function secured(socket: Socket, { serverName }: Endpoint): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const named = serverName !== null && isIP(serverName) === 0 ? { servername: serverName } : {};
    const secure = connectTls({ socket, ...named, ...(serverName === null ? {} : { host: serverName }) });
    secure.once('error', reject);
    secure.once('secureConnect', () => resolve(secure));
    secure.once('close', () => reject(new Error('the connection was closed during the TLS handshake')));
  });
}

interface Answer {
  said: string;
  status: number | null;
  body: string;
}

/** The first of an answer: a status over HTTP, one byte of a database; a plain port is left alone. */
function asked(socket: Socket, endpoint: Endpoint): Promise<Answer> {
  if (endpoint.url !== null) return askedOverHttp(socket, endpoint.url);
  const greeting = GREETINGS[endpoint.kind];
  if (greeting === undefined)
    return Promise.resolve({ said: 'nothing was sent: it is only known to be a port', status: null, body: '' });
  return new Promise((resolve, reject) => {
    socket.once('data', (chunk: Buffer) =>
      resolve({
        said: `it answers (${endpoint.kind})`,
        status: null,
        body: endpoint.kind === 'redis' ? chunk.toString('utf8', 0, 200).trim() : '',
      }),
    );
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed without an answer')));
    socket.write(greeting);
  });
}

function askedOverHttp(socket: Socket, url: URL): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({
      path: url.pathname + url.search,
      headers: { host: url.host, 'user-agent': 'nightshift', accept: '*/*', connection: 'close' },
      ...(url.username === ''
        ? {}
        : { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` }),
      createConnection: () => socket,
    });
    request.once('error', reject);
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const end = () =>
        resolve({
          said: `HTTP ${response.statusCode}`,
          status: response.statusCode ?? null,
          body: Buffer.concat(chunks).toString('utf8', 0, BODY_BYTES),
        });
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size < BODY_BYTES) return;
        end();
        response.destroy();
      });
      response.once('end', end);
      response.once('error', end);
      // A body that never ends says no more than its status.
      setTimeout(end, 500).unref();
    });
    request.end();
  });
}
