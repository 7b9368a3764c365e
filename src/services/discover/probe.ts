import { request } from 'node:http';
import { connect } from 'node:net';
import type { Host } from '../../hosts/host.ts';

const PROBE_MS = 1500;

interface HttpReply {
  status: number;
  /** True when it answers a page for people: such a server may answer every path alike. */
  html: boolean;
}

/** Does something with an endpoint as this machine reaches it; null when it cannot be reached. */
async function reached<Value>(
  host: Host,
  address: string,
  port: number,
  use: (address: string, port: number) => Promise<Value>,
): Promise<Value | null> {
  const endpoint = await host.reach(address, port);
  if (!endpoint.ok) return null;
  try {
    return await use(endpoint.value.address, endpoint.value.port);
  } finally {
    await endpoint.value[Symbol.asyncDispose]();
  }
}

function get(address: string, port: number, path: string, timeoutMs: number): Promise<HttpReply | null> {
  return new Promise((resolve) => {
    const asked = request(
      {
        host: address,
        port,
        path,
        method: 'GET',
        headers: { 'user-agent': 'nightshift' },
        agent: false,
        signal: AbortSignal.timeout(timeoutMs),
      },
      (response) => {
        resolve({ status: response.statusCode ?? 0, html: /html/i.test(response.headers['content-type'] ?? '') });
        // The body is of no use, and may be without end.
        response.destroy();
      },
    );
    // Refused, too slow, or no HTTP: all of them mean that this is no endpoint to check.
    asked.on('error', () => resolve(null));
    asked.end();
  });
}

/** The first of some paths that answers 2xx, `/` when only that is there, and null when no HTTP is spoken. */
export function findHealthPath(
  host: Host,
  address: string,
  port: number,
  paths: readonly string[],
): Promise<string | null> {
  return reached(host, address, port, async (at, on) => {
    let good: string | null = null;
    for (const path of paths) {
      const reply = await get(at, on, path, PROBE_MS);
      if (!reply) return null;
      if (reply.status < 200 || reply.status > 299) continue;
      if (!reply.html) return path;
      good = path;
      break;
    }
    const root = await get(at, on, '/', PROBE_MS);
    const rootFits = root !== null && root.status >= 200 && root.status <= 399;
    if (good === null) return rootFits ? '/' : null;
    const other = await get(at, on, '/no-such-page-here', PROBE_MS);
    // What answers every path alike says nothing by it.
    return other !== null && other.status >= 200 && other.status <= 299 && rootFits ? '/' : good;
  });
}

/** Sends some bytes and gives the first that come back; null when nothing does in time. */
export function exchange(host: Host, address: string, port: number, sent: Uint8Array): Promise<Buffer | null> {
  return reached(
    host,
    address,
    port,
    (at, on) =>
      new Promise<Buffer | null>((resolve) => {
        const socket = connect({ host: at, port: on, timeout: PROBE_MS });
        const end = (reply: Buffer | null): void => {
          resolve(reply);
          socket.destroy();
        };
        socket.on('connect', () => socket.write(sent));
        socket.on('data', (data) => end(data));
        socket.on('timeout', () => end(null));
        socket.on('error', () => end(null));
        socket.on('close', () => resolve(null));
      }),
  );
}
