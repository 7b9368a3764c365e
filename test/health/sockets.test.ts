import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { checkOf, closedPort, listening, localHost, measure, tcpServer, temporaryFolder } from './support.ts';

const DAY = 86_400_000;

describe('tcp', () => {
  test('a port that accepts, one that does not, and a host that is away', async () => {
    const open = await tcpServer(() => undefined);
    expect(await measure(checkOf('tcp', { tcp: `127.0.0.1:${open}` }))).toMatchObject({ verdict: 'ok', unit: 'ms' });
    expect(await measure(checkOf('tcp', { tcp: `127.0.0.1:${open}`, warn: 0 }))).toMatchObject({
      verdict: 'warn',
      reason: 'slow',
    });
    const closed = `127.0.0.1:${await closedPort()}`;
    expect(await measure(checkOf('tcp', { tcp: closed }))).toMatchObject({ verdict: 'critical', reason: 'refused' });
    expect(await measure(checkOf('tcp', { tcp: closed, as: 'warn' }))).toMatchObject({ verdict: 'warn' });
    const away = { ...localHost, reach: async () => ({ ok: false as const, error: 'no route' }) };
    expect(await measure(checkOf('tcp', { tcp: closed }), { host: away })).toMatchObject({
      verdict: 'unknown',
      reason: 'host-unreachable',
    });
  });
});

/** Speaks just enough RESP: answers each command by the table, `+OK` otherwise. */
function fakeRedis(answers: Record<string, string>): Promise<number> {
  return tcpServer((socket) => {
    let pending = '';
    socket.on('data', (bytes) => {
      pending += bytes.toString();
      for (;;) {
        const count = Number(/^\*(\d+)\r\n/.exec(pending)?.[1]);
        if (Number.isNaN(count)) return;
        const parts = pending.split('\r\n');
        if (parts.length < 2 + count * 2) return;
        const words = parts.slice(1, 1 + count * 2).filter((_part, index) => index % 2 === 1);
        pending = parts.slice(1 + count * 2).join('\r\n');
        const name = (words[0] ?? '').toUpperCase();
        socket.write(answers[words.join(' ')] ?? answers[name] ?? '+OK\r\n');
      }
    });
  });
}
const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
const INFO = bulk(
  '# Server\r\nrole:master\r\nused_memory:3000000\r\nconnected_clients:4\r\nrdb_last_bgsave_status:err\r\nloading:0\r\n',
);

describe('redis', () => {
  test('PONG, its latency, and what INFO must say', async () => {
    const redis = `redis://127.0.0.1:${await fakeRedis({ PING: '+PONG\r\n', INFO })}`;
    const result = await measure(checkOf('redis', { redis }));
    expect(result).toMatchObject({
      verdict: 'ok',
      unit: 'ms',
      facts: { role: 'master', used_memory: 3_000_000, rdb_last_bgsave_status: 'err' },
    });
    const fits = { role: 'master', used_memory: '< 4MB', connected_clients: 4 };
    expect(await measure(checkOf('redis', { redis, info: fits }))).toMatchObject({ verdict: 'ok' });
    const wrong = await measure(checkOf('redis', { redis, info: { rdb_last_bgsave_status: 'ok' } }));
    expect(wrong).toMatchObject({ verdict: 'critical', reason: 'info-mismatch' });
    expect(wrong.summary).toBe('rdb_last_bgsave_status is err, ok was expected');
    expect(await measure(checkOf('redis', { redis, info: { used_memory: '< 1MB' } }))).toMatchObject({
      reason: 'info-mismatch',
    });
    expect(await measure(checkOf('redis', { redis, info: { nothing: 'x' } }))).toMatchObject({
      reason: 'info-mismatch',
    });
  });

  test.each([
    ['-LOADING Redis is loading the dataset in memory', 'critical', 'loading'],
    ['-MISCONF Redis is configured to save RDB snapshots', 'critical', 'misconf'],
    ['-READONLY You cannot write against a read only replica.', 'critical', 'readonly'],
    ['-NOAUTH Authentication required.', 'unknown', 'noauth'],
    ['-ERR max number of clients reached', 'critical', 'too-many-connections'],
  ])('PING answers %s', async (answer, verdict, reason) => {
    const port = await fakeRedis({ PING: `${answer}\r\n` });
    const result = await measure(checkOf('redis', { redis: `redis://127.0.0.1:${port}` }));
    expect(result).toMatchObject({ verdict, reason });
    expect(result.summary).toContain(answer.slice(1, 20));
  });

  test('the password comes from its reference, and a missing one or a wrong one is not the fault of the server', async () => {
    const secret = `word-${Math.random()}`;
    const port = await fakeRedis({
      [`AUTH ${secret}`]: '+OK\r\n',
      AUTH: '-WRONGPASS invalid username-password pair\r\n',
      PING: '+PONG\r\n',
      INFO,
    });
    const check = checkOf('redis', { redis: `redis://127.0.0.1:${port}`, password: 'env:CACHE_PASSWORD' });
    const right = await measure(check, { secret: (reference) => (reference === 'env:CACHE_PASSWORD' ? secret : '') });
    expect(right).toMatchObject({ verdict: 'ok' });
    expect(await measure(check, { secret: () => 'other' })).toMatchObject({ verdict: 'unknown', reason: 'wrongpass' });
    expect(await measure(check)).toMatchObject({
      verdict: 'unknown',
      reason: 'secret-missing',
      summary: 'env:CACHE_PASSWORD is not set',
    });
  });

  test('nobody listens, nobody answers, something else answers, it closes', async () => {
    const at = (port: number) => checkOf('redis', { redis: `redis://127.0.0.1:${port}` }, { withinMs: 300 });
    expect(await measure(at(await closedPort()))).toMatchObject({ verdict: 'critical', reason: 'refused' });
    expect(await measure(at(await tcpServer(() => undefined)))).toMatchObject({
      verdict: 'critical',
      reason: 'timed-out',
    });
    expect(await measure(at(await tcpServer((socket) => socket.once('data', () => socket.end()))))).toMatchObject({
      verdict: 'critical',
      reason: 'reset',
    });
    const strange = await measure(
      at(await tcpServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad\r\n\r\n')))),
    );
    expect(strange.verdict).toBe('critical');
  });
});

/** A server that answers the start-up message with one error and ends, as PostgreSQL does before it lets anybody in. */
function refusingPostgres(code: string, message: string): Promise<number> {
  return tcpServer((socket) => {
    socket.once('data', () => {
      const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`);
      const head = Buffer.alloc(5);
      head.write('E');
      head.writeInt32BE(fields.length + 4, 1);
      socket.end(Buffer.concat([head, fields]));
    });
  });
}

describe('postgres', () => {
  const at = (port: number) =>
    checkOf('postgres', { postgres: `postgres://app@127.0.0.1:${port}/app` }, { withinMs: 1000 });

  test.each([
    ['57P03', 'the database system is starting up', 'critical', 'starting-up'],
    ['57P03', 'the database system is in recovery mode', 'critical', 'starting-up'],
    ['57P03', 'the database system is shutting down', 'critical', 'shutting-down'],
    ['53300', 'sorry, too many clients already', 'critical', 'too-many-connections'],
    [
      '53300',
      'remaining connection slots are reserved for roles with the SUPERUSER attribute',
      'critical',
      'too-many-connections',
    ],
    ['28P01', 'password authentication failed for user "app"', 'unknown', 'auth'],
    ['3D000', 'database "app" does not exist', 'critical', 'no-database'],
  ])('%s %s', async (code, message, verdict, reason) => {
    const result = await measure(at(await refusingPostgres(code, message)));
    expect(result).toMatchObject({ verdict, reason });
    expect(result.summary).toContain(message);
    expect(result.durationMs).toBeLessThan(900);
  });

  test('nobody listens, nobody answers, it closes', async () => {
    expect(await measure(at(await closedPort()))).toMatchObject({ verdict: 'critical', reason: 'refused' });
    expect(await measure(at(await tcpServer(() => undefined)))).toMatchObject({
      verdict: 'critical',
      reason: 'timed-out',
    });
    expect(await measure(at(await tcpServer((socket) => socket.once('data', () => socket.end()))))).toMatchObject({
      verdict: 'critical',
      reason: 'reset',
    });
  });
});

async function jsonServer(answers: Record<string, unknown>, status = 200): Promise<string> {
  const server = createServer((request, response) => {
    const found = answers[decodeURIComponent(request.url ?? '')];
    response
      .writeHead(found === undefined ? 404 : status)
      .end(typeof found === 'string' ? found : JSON.stringify(found));
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${await listening(server)}`;
}

describe('ollama', () => {
  test('up, its models there, in memory or not', async () => {
    const ollama = await jsonServer({
      '/api/version': { version: '0.12.1' },
      '/api/tags': { models: [{ name: 'small:latest' }, { name: 'large:9b' }] },
      '/api/ps': { models: [{ name: 'small:latest' }] },
    });
    expect(await measure(checkOf('ollama', { ollama, models: ['small', 'large:9b'] }))).toMatchObject({
      verdict: 'ok',
      facts: { version: '0.12.1', models: 2 },
    });
    expect(await measure(checkOf('ollama', { ollama, models: ['huge'] }))).toMatchObject({
      verdict: 'critical',
      reason: 'model-missing',
    });
    expect(await measure(checkOf('ollama', { ollama, models: ['small'], loaded: true }))).toMatchObject({
      verdict: 'ok',
    });
    expect(await measure(checkOf('ollama', { ollama, models: ['large:9b'], loaded: true }))).toMatchObject({
      reason: 'model-not-loaded',
    });
  });

  test('down, or not Ollama at all', async () => {
    const closed = `http://127.0.0.1:${await closedPort()}`;
    expect(await measure(checkOf('ollama', { ollama: closed }))).toMatchObject({
      verdict: 'critical',
      reason: 'refused',
    });
    const html = await jsonServer({ '/api/version': '<html>gateway</html>' });
    expect(await measure(checkOf('ollama', { ollama: html }))).toMatchObject({
      verdict: 'critical',
      reason: 'not-json',
    });
    const other = await jsonServer({ '/api/version': { name: 'other' } });
    expect(await measure(checkOf('ollama', { ollama: other }))).toMatchObject({
      verdict: 'critical',
      reason: 'not-ollama',
    });
  });
});

describe('prometheus', () => {
  const vector = (...values: string[]) => ({
    status: 'success',
    data: {
      resultType: 'vector',
      result: values.map((value, index) => ({ metric: { pod: `p${index}` }, value: [1, value] })),
    },
  });
  test('a vector, a scalar, several series, none, a query it refuses', async () => {
    const prometheus = await jsonServer({
      '/prom/api/v1/query?query=one': vector('3'),
      '/prom/api/v1/query?query=many': vector('1', '9', '4'),
      '/prom/api/v1/query?query=none': vector(),
      '/prom/api/v1/query?query=nan': vector('NaN'),
      '/prom/api/v1/query?query=scalar': { data: { resultType: 'scalar', result: [1, '+Inf'] } },
      '/prom/api/v1/query?query=string': { data: { resultType: 'string', result: [1, 'x'] } },
    });
    const ask = (query: string) =>
      measure(checkOf('prometheus', { prometheus: `${prometheus}/prom`, query, warn: 2, critical: 8 }));
    expect(await ask('one')).toMatchObject({ verdict: 'warn', value: 3, reason: 'over-limit' });
    const many = await ask('many');
    expect(many).toMatchObject({ verdict: 'critical', value: 9, facts: { series: 3 } });
    expect(many.summary).toContain('p1');
    expect(await ask('none')).toMatchObject({ verdict: 'unknown', reason: 'no-data' });
    expect(await ask('nan')).toMatchObject({ verdict: 'unknown', reason: 'no-data' });
    expect(await ask('scalar')).toMatchObject({ verdict: 'critical', value: Number.POSITIVE_INFINITY });
    expect(await ask('string')).toMatchObject({ verdict: 'unknown', reason: 'not-prometheus' });
    expect(await ask('missing')).toMatchObject({ verdict: 'unknown', reason: 'status-404' });
    const bad = await jsonServer({ '/api/v1/query?query=sum(': { status: 'error', error: 'parse error' } }, 400);
    const refused = await measure(checkOf('prometheus', { prometheus: bad, query: 'sum(' }));
    expect(refused).toMatchObject({ verdict: 'unknown', reason: 'query-failed' });
    expect(refused.summary).toContain('parse error');
  });
});

describe('certificate', () => {
  test.each([
    ['fine', 60, 'ok', undefined],
    ['ends soon', 7, 'warn', 'tls-expires-soon'],
    ['ends very soon', 1, 'critical', 'tls-expires-soon'],
    ['ended', -4, 'critical', 'tls-expired'],
  ])('%s, in a file and from a server', async (_what, days, verdict, reason) => {
    const made = makeCertificate({ from: Date.now() - 30 * DAY, until: Date.now() + days * DAY });
    const path = join(await temporaryFolder(), 'cert.pem');
    await writeFile(path, made.cert);
    const fromFile = await measure(checkOf('certificate', { certificate: path }));
    const server = createTlsServer(made, (socket) => socket.end());
    onTestFinished(() => void server.close());
    const fromServer = await measure(checkOf('certificate', { certificate: `127.0.0.1:${await listening(server)}` }));
    for (const result of [fromFile, fromServer]) {
      expect(result).toMatchObject({ verdict, unit: 'days' });
      expect(result.reason).toBe(reason);
      expect(result.value).toBeCloseTo(days, 0);
    }
  });

  test('no file, no certificate in it, no server, no TLS', async () => {
    const folder = await temporaryFolder();
    expect(await measure(checkOf('certificate', { certificate: join(folder, 'none.pem') }))).toMatchObject({
      verdict: 'critical',
      reason: 'absent',
    });
    await writeFile(join(folder, 'text.pem'), 'hello');
    expect(await measure(checkOf('certificate', { certificate: join(folder, 'text.pem') }))).toMatchObject({
      reason: 'not-a-certificate',
    });
    expect(await measure(checkOf('certificate', { certificate: `127.0.0.1:${await closedPort()}` }))).toMatchObject({
      reason: 'refused',
    });
    const plain = await tcpServer((socket) => socket.once('data', () => socket.end('no tls here')));
    expect(await measure(checkOf('certificate', { certificate: `127.0.0.1:${plain}` }))).toMatchObject({
      verdict: 'critical',
      reason: expect.stringMatching(/^(tls-failed|reset)$/),
    });
  });
});

describe('metric over HTTP', () => {
  test('a number in JSON, and what is not one', async () => {
    const url = await jsonServer({ '/': { queue: { depth: 12, name: 'mail', text: '7' } } });
    const ask = (json: string) =>
      measure(checkOf('metric', { metric: { url: `${url}/`, json }, critical: 10, unit: 'jobs' }));
    expect(await ask('queue.depth')).toMatchObject({
      verdict: 'critical',
      value: 12,
      unit: 'jobs',
      summary: '12 jobs (limit: > 10)',
    });
    expect(await ask('queue.text')).toMatchObject({ verdict: 'ok', value: 7 });
    expect(await ask('queue.name')).toMatchObject({ verdict: 'unknown', reason: 'no-number' });
    expect(await ask('queue.none')).toMatchObject({ verdict: 'unknown', reason: 'no-number' });
    const closed = await measure(
      checkOf('metric', { metric: { url: `http://127.0.0.1:${await closedPort()}`, json: 'a' } }),
    );
    expect(closed).toMatchObject({ verdict: 'unknown', reason: 'refused' });
  });
});
