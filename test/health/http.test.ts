import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { setDefaultCACertificates } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { checkOf, closedPort, listening, localHost, measure, tcpServer } from './support.ts';

const DAY = 86_400_000;

async function server(listener: RequestListener): Promise<string> {
  const made = createServer(listener);
  onTestFinished(() => {
    made.closeAllConnections();
    made.close();
  });
  return `http://127.0.0.1:${await listening(made)}`;
}

async function tlsServer(name: string, from: number, until: number, trusted = false): Promise<string> {
  const made = makeCertificate({ name, from: Date.now() + from, until: Date.now() + until });
  if (trusted) setDefaultCACertificates([made.cert]);
  const listener = createTlsServer(made, (_request, response) => response.end('fine'));
  onTestFinished(() => {
    listener.closeAllConnections();
    listener.close();
  });
  return `https://127.0.0.1:${await listening(listener)}`;
}

/** What a server that says exactly this, and then does nothing more or ends, looks like. */
const raw = async (bytes: string, end: boolean): Promise<string> => {
  const port = await tcpServer((socket) => {
    socket.once('data', () => (end ? socket.end(bytes) : socket.write(bytes)));
  });
  return `http://127.0.0.1:${port}`;
};

describe('an answer', () => {
  test('is ok with its status, latency and the beginning of its body as facts', async () => {
    const url = await server((_request, response) => response.end(`all \u0007 ${'x'.repeat(300)}`));
    const result = await measure(checkOf('http', { http: `${url}/health?deep=1` }));
    expect(result).toMatchObject({
      verdict: 'ok',
      kind: 'http',
      check: 'api/http',
      unit: 'ms',
      facts: { status: 200 },
    });
    expect(result.summary).toMatch(/^200 in \d+ ms$/);
    expect(result.facts?.body).toMatch(/^all x+…$/);
    expect(String(result.facts?.body)).toHaveLength(200);
    expect(result.value).toBe(result.facts?.latency_ms);
  });

  test('carries path, query, Host and credentials of the URL on a connection that is not kept', async () => {
    let seen: unknown;
    const url = await server((request, response) => {
      const { host, authorization, connection } = request.headers;
      seen = { url: request.url, host, authorization, connection };
      response.end();
    });
    const { host } = new URL(url);
    await measure(checkOf('http', { http: `http://me:s%20p@${host}/a/b?c=d` }));
    const authorization = `Basic ${Buffer.from('me:s p').toString('base64')}`;
    expect(seen).toEqual({ url: '/a/b?c=d', host, authorization, connection: 'close' });
  });

  test.each([
    ['status', { status: 204 }, 'status-200', '204 was expected'],
    ['one of several', { status: [201, 204] }, 'status-200', '201 or 204'],
    ['status range', { status: '300-399' }, 'status-200', '300-399'],
    ['header', { header: { 'Content-Type': 'text/html' } }, 'header-mismatch', 'application/json'],
    ['body', { body: 'degraded' }, 'body-mismatch', '"degraded" is not in the body'],
    ['json value', { json: { 'data.items[1].status': 'up' } }, 'json-mismatch', 'is "down", "up" was expected'],
    ['json path', { json: { 'data.nothing.here': 1 } }, 'json-mismatch', 'is missing'],
  ])('with the wrong %s fails', async (_what, wanted, reason, said) => {
    const url = await server((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end('{"data":{"items":[{"status":"up"},{"status":"down"}],"count":"3"}}');
    });
    const result = await measure(checkOf('http', { http: url, ...wanted }));
    expect(result).toMatchObject({ verdict: 'critical', reason });
    expect(result.summary).toContain(said);
    const fine = {
      status: '200-299',
      header: { 'content-type': 'json' },
      body: '"up"',
      json: { 'data.items[0].status': 'up', 'data.count': 3 },
    };
    expect(await measure(checkOf('http', { http: url, ...fine }))).toMatchObject({ verdict: 'ok' });
  });

  test('that says it fails is critical, or what the check says', async () => {
    const url = await server((_request, response) => response.writeHead(502).end('bad gateway'));
    const result = await measure(checkOf('http', { http: url }));
    expect(result).toMatchObject({ verdict: 'critical', reason: 'status-502', facts: { body: 'bad gateway' } });
    expect(await measure(checkOf('http', { http: url, as: 'warn' }))).toMatchObject({ verdict: 'warn' });
  });

  test('that is slower than its limits is slow', async () => {
    const url = await server((_request, response) => setTimeout(() => response.end(), 60));
    expect(await measure(checkOf('http', { http: url, warn: '20ms', critical: '5s' }))).toMatchObject({
      verdict: 'warn',
      reason: 'slow',
    });
    expect(await measure(checkOf('http', { http: url, warn: '10ms', critical: '20ms' }))).toMatchObject({
      verdict: 'critical',
      reason: 'slow',
    });
  });

  test('that is not JSON where JSON is wanted says what came instead', async () => {
    const url = await server((_request, response) => response.end('<html>login</html>'));
    const result = await measure(checkOf('http', { http: url, json: { ok: true } }));
    expect(result).toMatchObject({ reason: 'json-mismatch' });
    expect(result.summary).toContain('not JSON: "<html>login</html>"');
  });

  test('of 50 MB is read no further than 256 kB', async () => {
    let written = 0;
    const url = await server((_request, response) => {
      const more = (): void => {
        while (written < 50 * 1024 * 1024 && !response.destroyed) {
          written += 65_536;
          if (!response.write(Buffer.alloc(65_536, 'a'))) return void response.once('drain', more);
        }
        response.end();
      };
      more();
    });
    expect(await measure(checkOf('http', { http: url }))).toMatchObject({ verdict: 'ok', facts: { status: 200 } });
    expect(written).toBeLessThan(20 * 1024 * 1024);
    expect(await measure(checkOf('http', { http: url, json: { ok: true } }))).toMatchObject({
      verdict: 'critical',
      reason: 'too-large',
    });
  });

  test('may redirect within its own origin, but not in a circle', async () => {
    const url = await server((request, response) => {
      if (request.url === '/') response.writeHead(302, { location: '/home' }).end();
      else if (request.url === '/home') response.end('home');
      else response.writeHead(301, { location: request.url === '/a' ? '/b' : '/a' }).end();
    });
    expect(await measure(checkOf('http', { http: url, body: 'home' }))).toMatchObject({ verdict: 'ok' });
    expect(await measure(checkOf('http', { http: `${url}/a` }))).toMatchObject({
      verdict: 'critical',
      reason: 'redirect-loop',
    });
    expect(await measure(checkOf('http', { http: `${url}/a`, status: 301 }))).toMatchObject({
      verdict: 'ok',
      facts: { status: 301 },
    });
  });
});

describe('no proper answer', () => {
  test('nobody listens', async () => {
    const result = await measure(checkOf('http', { http: `http://127.0.0.1:${await closedPort()}` }));
    expect(result).toMatchObject({ verdict: 'critical', reason: 'refused' });
    expect(result.summary).toMatch(/127\.0\.0\.1:\d+: connection refused/);
  });

  test('the name is not known', async () => {
    const result = await measure(checkOf('http', { http: 'http://no-such-host.invalid/' }, { withinMs: 4000 }));
    expect(result).toMatchObject({ verdict: 'critical', reason: expect.stringMatching(/^(dns|timed-out)$/) });
  });

  test.each([
    ['garbage', '\u0016\u0003\u0001 go away\r\n\r\n', true, 'not-http', 'does not speak HTTP'],
    ['half a header, then the end', 'HTTP/1.1 200 OK\r\nContent-Ty', true, 'reset', 'in the middle of the header'],
    [
      'half a header, then silence',
      'HTTP/1.1 200 OK\r\nContent-Ty',
      false,
      'timed-out',
      'connected, but no answer within',
    ],
    [
      'half a body, then the end',
      'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf',
      true,
      'reset',
      'in the middle of the body',
    ],
    [
      'half a body, then silence',
      'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf',
      false,
      'timed-out',
      '200, but the answer did not end',
    ],
    ['nothing, then the end', '', true, 'reset', 'closed without an answer'],
    ['a header without end', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(40_000)}`, false, 'too-large', 'larger than 16 kB'],
  ])('%s', async (_what, bytes, end, reason, said) => {
    const result = await measure(checkOf('http', { http: await raw(bytes, end) }, { withinMs: 250 }));
    expect(result).toMatchObject({ verdict: 'critical', reason });
    expect(result.summary).toContain(said);
    expect(result.durationMs).toBeLessThan(1500);
  });

  test('the connection is reset', async () => {
    const port = await tcpServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    expect(await measure(checkOf('http', { http: `http://127.0.0.1:${port}` }))).toMatchObject({ reason: 'reset' });
  });

  test('a host that cannot be reached says nothing of the service', async () => {
    const host = {
      ...localHost,
      name: 'pc',
      reach: async () => ({ ok: false as const, error: 'ssh: connect timed out' }),
    };
    const result = await measure(checkOf('http', { http: 'http://127.0.0.1:1/' }), { host });
    expect(result).toMatchObject({ verdict: 'unknown', reason: 'host-unreachable' });
    expect(result.summary).toContain('ssh: connect timed out');
  });

  test('a tunnel is disposed of, and the far name is what the server hears', async () => {
    let heard: string | undefined;
    const url = new URL(
      await server((request, response) => {
        heard = request.headers.host;
        response.end();
      }),
    );
    let disposed = 0;
    const endpoint = {
      address: '127.0.0.1',
      port: Number(url.port),
      [Symbol.asyncDispose]: async () => {
        disposed += 1;
      },
    };
    const host = { ...localHost, reach: async () => ({ ok: true as const, value: endpoint }) };
    expect(await measure(checkOf('http', { http: 'http://shop.example:8080/' }), { host })).toMatchObject({
      verdict: 'ok',
    });
    expect({ heard, disposed }).toEqual({ heard: 'shop.example:8080', disposed: 1 });
  });
});

describe('https', () => {
  test('tells a certificate that has expired, one nobody vouches for, one for another name and a good one apart', async () => {
    const expired = await tlsServer('localhost', -20 * DAY, -3 * DAY, true);
    expect(await measure(checkOf('http', { http: expired }))).toMatchObject({
      verdict: 'critical',
      reason: 'tls-expired',
    });
    const good = await tlsServer('localhost', -DAY, 10 * DAY);
    expect(await measure(checkOf('http', { http: good }))).toMatchObject({
      verdict: 'critical',
      reason: 'tls-untrusted',
    });
    const insecure = await measure(checkOf('http', { http: good, insecure: true, expires: {} }));
    expect(insecure).toMatchObject({ verdict: 'warn', reason: 'tls-expires-soon', facts: { status: 200 } });
    expect(insecure.facts?.certificate_days).toBeCloseTo(10, 0);
    const relaxed = { http: good, insecure: true, expires: { warn: '5d', critical: '1d' } };
    expect(await measure(checkOf('http', relaxed))).toMatchObject({ verdict: 'ok' });
    const late = { http: expired, insecure: true, expires: {} };
    expect(await measure(checkOf('http', late))).toMatchObject({ verdict: 'critical', reason: 'tls-expired' });
  });

  test('spoken to something that does not speak it', async () => {
    const url = await server((_request, response) => response.end('plain'));
    const result = await measure(checkOf('http', { http: url.replace('http:', 'https:') }));
    expect(result).toMatchObject({ verdict: 'critical', reason: 'not-tls' });
  });

  test('and plain HTTP spoken to it', async () => {
    const url = await tlsServer('localhost', -DAY, DAY);
    const result = await measure(checkOf('http', { http: url.replace('https:', 'http:') }));
    expect(result).toMatchObject({ verdict: 'critical', reason: expect.stringMatching(/^(not-http|reset)$/) });
  });
});
