import { describe, expect, test } from 'vitest';
import type { CheckConfig } from '../../src/config/checks.ts';
import type { CommandResult, Host } from '../../src/hosts/host.ts';
import { checkOf, measure, scriptedHost, tcpServer } from './support.ts';

/** A host behind ssh: whether it answers at all, and what becomes of a connection that is asked for there. */
function far(answers: boolean | 'never', reach: Host['reach']): Host {
  const host = scriptedHost(() => (answers === true ? {} : { failure: 'unreachable', exitCode: null }), {
    name: 'pc',
    kind: 'ssh',
    reach,
  });
  const hang = ({ signal, argv }: { signal?: AbortSignal; argv: CommandResult['argv'] }): Promise<CommandResult> =>
    new Promise((resolve) => {
      const result = {
        argv,
        exitCode: null,
        signal: null,
        stdout: '',
        stderr: '',
        durationMs: 1,
        truncated: false,
        failure: 'cancelled' as const,
      };
      signal?.addEventListener('abort', () => resolve(result));
    });
  return answers === 'never' ? { ...host, run: hang } : host;
}

const failing =
  (error: string): Host['reach'] =>
  async () => ({ ok: false, error });
const hanging: Host['reach'] = () => new Promise(() => undefined);

const kinds: [string, CheckConfig][] = [
  ['http', checkOf('http', { http: 'http://127.0.0.1:8080/' }, { withinMs: 900 })],
  ['tcp', checkOf('tcp', { tcp: '127.0.0.1:8080' }, { withinMs: 900 })],
  ['redis', checkOf('redis', { redis: 'redis://127.0.0.1:6379' }, { withinMs: 900 })],
  ['postgres', checkOf('postgres', { postgres: 'postgres://app@127.0.0.1/app' }, { withinMs: 900 })],
  ['ollama', checkOf('ollama', { ollama: 'http://127.0.0.1:11434' }, { withinMs: 900 })],
  ['certificate', checkOf('certificate', { certificate: '127.0.0.1:443' }, { withinMs: 900 })],
];

describe.each(kinds)('%s on a far host', (_kind, check) => {
  test('that is away is unknown', async () => {
    const host = far(false, failing('ssh: connect to host pc port 22: No route to host'));
    expect(await measure(check, { host })).toMatchObject({ verdict: 'unknown', reason: 'host-unreachable' });
  });

  test('where nobody listens is down', async () => {
    const host = far(
      true,
      failing('127.0.0.1:8080 does not accept connections as seen from there: connect failed: Connection refused'),
    );
    expect(await measure(check, { host })).toMatchObject({ verdict: 'critical', reason: 'refused' });
  });
});

describe('a far host that is slow', () => {
  const [, http] = kinds[0] ?? [];
  if (!http) throw new Error('no check to measure');

  test('and answers nothing at all is unknown, in time', async () => {
    const result = await measure(http, { host: far('never', hanging) });
    expect(result).toMatchObject({ verdict: 'unknown', reason: 'host-unreachable' });
    expect(result.durationMs).toBeLessThan(1500);
  });

  test('but answers otherwise: the endpoint is at fault', async () => {
    expect(await measure(http, { host: far(true, hanging) })).toMatchObject({
      verdict: 'critical',
      reason: 'timed-out',
    });
  });

  test('a tunnel that comes too late is closed again', async () => {
    let disposed = 0;
    const late: Host['reach'] = async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      return { ok: true, value: { address: '127.0.0.1', port: 1, [Symbol.asyncDispose]: async () => void disposed++ } };
    };
    await measure({ ...http, withinMs: 100 }, { host: far(true, late) });
    await expect.poll(() => disposed).toBe(1);
  });

  test('a command that does not end there is the command’s fault only if the host answers', async () => {
    const check = checkOf('command', { command: ['sleep', '60'] }, { withinMs: 900 });
    expect(await measure(check, { host: far('never', hanging) })).toMatchObject({
      verdict: 'unknown',
      reason: 'host-unreachable',
    });
    const host = far('never', hanging);
    const answering: Host = {
      ...host,
      run: (request) => (request.argv[0] === 'true' ? far(true, hanging).run(request) : host.run(request)),
    };
    expect(await measure(check, { host: answering })).toMatchObject({ verdict: 'critical', reason: 'timed-out' });
  });

  test('forbidden tunnels are no fault of the service', async () => {
    const host = far(true, failing('open failed: administratively prohibited'));
    expect(await measure(http, { host })).toMatchObject({ verdict: 'unknown', reason: 'not-permitted' });
  });
});

test('an endpoint behind a tunnel is measured through it', async () => {
  const port = await tcpServer((socket) =>
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')),
  );
  const endpoint = { address: '127.0.0.1', port, [Symbol.asyncDispose]: async () => undefined };
  const host = far(true, async () => ({ ok: true, value: endpoint }));
  expect(await measure(checkOf('http', { http: 'http://10.0.0.9:8080/' }), { host })).toMatchObject({ verdict: 'ok' });
});
