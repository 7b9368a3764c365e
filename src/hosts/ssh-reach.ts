import { createServer, type Socket } from 'node:net';
import { failure, messageOf, type Outcome, success } from '../base/outcome.ts';
import { commandEnvironment } from './environment.ts';
import type { ReachedEndpoint } from './host.ts';
import type { SshConnection } from './ssh-connection.ts';

/** What `ssh -W` says with LogLevel DEBUG2 once the far side has connected: through a shared connection, or on its own. */
const CONNECTED = /master session id|open confirm/i;
/** An ssh that says nothing of the kind is taken to be connected after this long without having failed. */
const SILENT_MS = 2500;
const CONNECT_MS = 12_000;

interface Tunnel {
  pipe(socket: Socket): void;
  end(): void;
}

/**
 * Opens a port on loopback that leads to `address:port` as the far host sees it, one `ssh -W` for each connection. It
 * connects once before it answers, so that a port nobody listens on is a failure here and not an open port there.
 */
export async function reachThrough(
  connection: SshConnection,
  address: string,
  port: number,
): Promise<Outcome<ReachedEndpoint>> {
  const facts = await connection.facts();
  if (!facts.ok) return facts;
  const first = await openTunnel(connection, address, port);
  if (!first.ok) return first;

  let spare: Tunnel | null = first.value;
  const tunnels = new Set<Tunnel>([first.value]);
  const sockets = new Set<Socket>();
  const server = createServer(async (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const ready = spare;
    spare = null;
    const tunnel = ready ? success(ready) : await openTunnel(connection, address, port);
    if (!tunnel.ok) return socket.resetAndDestroy();
    tunnels.add(tunnel.value);
    socket.once('close', () => tunnels.delete(tunnel.value));
    tunnel.value.pipe(socket);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
  } catch (thrown) {
    first.value.end();
    return failure(`could not open a local port to reach ${address}:${port}: ${messageOf(thrown)}`);
  }
  const bound = server.address();
  return success({
    address: '127.0.0.1',
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        for (const tunnel of tunnels) tunnel.end();
        server.close(() => resolve());
      }),
  });
}

async function openTunnel(connection: SshConnection, address: string, port: number): Promise<Outcome<Tunnel>> {
  const { execa } = await import('execa');
  const target = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  const child = execa('ssh', connection.sshArguments(['-W', target, '-o', 'LogLevel=DEBUG2']), {
    reject: false,
    buffer: false,
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
    extendEnv: false,
    env: commandEnvironment(process.env),
    killDescendants: true,
  });
  if (child.pid === undefined) return failure(`could not reach ${target}: ssh could not be started`);
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => stream.destroy());
  const end = () => {
    child.stdin.destroy();
    child.stdout.destroy();
    child.stderr.destroy();
    child.kill('SIGTERM');
  };

  let said = '';
  const verdict = await new Promise<'connected' | 'ended' | 'late'>((resolve) => {
    const silent = setTimeout(() => resolve(CONNECTED.test(said) || said === '' ? 'connected' : 'late'), SILENT_MS);
    const late = setTimeout(() => resolve('late'), CONNECT_MS);
    const settle = (answer: 'connected' | 'ended') => {
      clearTimeout(silent);
      clearTimeout(late);
      resolve(answer);
    };
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-8192);
      if (CONNECTED.test(said)) settle('connected');
    });
    child.nodeChildProcess.once('exit', () => settle('ended'));
    child.stdout.once('readable', () => child.stdout.readableLength > 0 && settle('connected'));
  });
  if (verdict !== 'connected') {
    end();
    return failure(`${target} does not accept connections as seen from there: ${reasonIn(said)}`);
  }
  return success({
    end,
    pipe: (socket) => {
      socket.once('close', end);
      child.stdout.pipe(socket);
      socket.pipe(child.stdin);
    },
  });
}

function reasonIn(said: string): string {
  const lines = said.split('\n').map((line) => line.trim());
  const own = lines.filter((line) => line !== '' && !/^debug\d:/.test(line));
  return own.at(-1) ?? 'no answer in time';
}
