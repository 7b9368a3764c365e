import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { messageOf } from '../../src/base/outcome.ts';
import { socketTrouble } from '../../src/health/socket-trouble.ts';
import type { ToolContext } from '../tool.ts';
import type { Endpoint } from './endpoints.ts';

const TIME_LIMIT_MS = 6000;

type Shown = { certificate: X509Certificate; distrust: string | null; source: string } | { error: string };

/** The certificate that a server shows, and why it would not be trusted. */
export async function shownCertificate(endpoint: Endpoint, context: ToolContext): Promise<Shown> {
  const host = context.host(endpoint.host);
  const where = `${endpoint.address}:${endpoint.port}`;
  const reached = await host.reach(endpoint.address, endpoint.port);
  if (!reached.ok) return { error: `${where} cannot be reached from ${host.name}: ${reached.error}` };
  await using place = reached.value;
  const name = endpoint.serverName ?? endpoint.address;
  return new Promise((resolve) => {
    const limit = AbortSignal.any([context.signal, AbortSignal.timeout(TIME_LIMIT_MS)]);
    // Whether it can be trusted is what we want to say, so a bad one must not end the connection.
    const socket = connect({
      host: place.address,
      port: place.port,
      rejectUnauthorized: false,
      ...(isIP(name) === 0 ? { servername: name } : {}),
    });
    const end = (shown: Shown) => {
      limit.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(shown);
    };
    const onAbort = () => end({ error: `${where}: no TLS connection within ${TIME_LIMIT_MS / 1000} s` });
    limit.addEventListener('abort', onAbort, { once: true });
    socket.on('error', (error) =>
      end({ error: socketTrouble(error, where)?.summary ?? `${where}: ${messageOf(error)}` }),
    );
    socket.on('close', () => end({ error: `${where}: the connection was closed without TLS` }));
    socket.on('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate();
      if (!certificate) return end({ error: `${where} shows no certificate` });
      const fits = isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name);
      const why = [
        socket.authorized ? '' : String(socket.authorizationError ?? ''),
        fits === undefined ? `it is not for ${name}` : '',
      ];
      end({ certificate, distrust: [...new Set(why.filter(Boolean))].join('; ') || null, source: where });
    });
  });
}
