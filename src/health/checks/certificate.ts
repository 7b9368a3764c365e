import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import type { CheckConfig } from '../../config/checks.ts';
import { hostAndPort } from '../address.ts';
import type { CheckContext, CheckRunner, Measurement } from '../check.ts';
import { down, fileTrouble, unmeasured } from '../finding.ts';
import { formatSpan, tenth } from '../format.ts';
import { reachEndpoint, unreached } from '../reach.ts';
import { isOwnTrouble, socketTrouble } from '../socket-trouble.ts';

const DAY_MS = 86_400_000;

/** The end date of a certificate, in a PEM file of the host or as a server shows it. Who vouches for it does not matter here. */
export const certificate: CheckRunner<'certificate'> = async (check, context) => {
  const where = check.settings.certificate;
  const found = /^(\[[0-9a-f:]+\]|[^/\s:]+):\d{1,5}$/i.test(where)
    ? await fromServer(check, context)
    : await fromFile(check, context);
  if (!(found instanceof X509Certificate)) return found;
  const left = Date.parse(found.validTo) - context.clock.now();
  const days = tenth(left / DAY_MS);
  const subject = found.subject?.split('\n').join(', ') ?? '';
  const more = {
    value: days,
    unit: 'days',
    facts: { days_left: days, valid_to: new Date(found.validTo).toISOString(), subject },
  };
  if (context.clock.now() < Date.parse(found.validFrom))
    return down(check, 'tls-not-yet-valid', `not valid before ${found.validFrom}`, more);
  if (left < 0)
    return { verdict: 'critical', reason: 'tls-expired', summary: `ended ${formatSpan(left)} ago`, ...more };
  const { warn = 14 * DAY_MS, critical = 2 * DAY_MS } = check.settings;
  const verdict = left < critical ? 'critical' : left < warn ? 'warn' : 'ok';
  const summary = `ends in ${formatSpan(left)}`;
  return verdict === 'ok' ? { verdict, summary, ...more } : { verdict, reason: 'tls-expires-soon', summary, ...more };
};

async function fromFile(
  check: CheckConfig<'certificate'>,
  { host }: CheckContext,
): Promise<X509Certificate | Measurement> {
  const path = check.settings.certificate;
  const facts = await host.fileFacts(path);
  if (facts.ok && facts.value === null) return down(check, 'absent', `${path} does not exist on ${host.name}`);
  const read = await host.readFile(path);
  if (!read.ok) return fileTrouble(host, read.error);
  try {
    return new X509Certificate(read.value.text);
  } catch {
    return down(check, 'not-a-certificate', `${path} holds no certificate in PEM`);
  }
}

async function fromServer(
  check: CheckConfig<'certificate'>,
  { host, signal }: CheckContext,
): Promise<X509Certificate | Measurement> {
  const where = check.settings.certificate;
  const { address, port } = hostAndPort(where);
  const reached = await reachEndpoint({ host, signal }, address, port);
  if (!reached.ok) return unreached(check, reached);
  await using endpoint = reached.endpoint;
  const servername = check.settings.server_name ?? (isIP(address) === 0 ? address : undefined);
  return new Promise((resolve) => {
    const socket = connect({
      host: endpoint.address,
      port: endpoint.port,
      rejectUnauthorized: false,
      ...(servername === undefined ? {} : { servername }),
    });
    const end = (result: X509Certificate | Measurement): void => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(result);
    };
    const onAbort = (): void => end(down(check, 'timed-out', `${where}: no TLS connection in time`));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('secureConnect', () => {
      const shown = socket.getPeerX509Certificate();
      end(shown ?? down(check, 'no-certificate', `${where} shows no certificate`));
    });
    socket.on('error', (error) => {
      const trouble = socketTrouble(error, where) ?? { reason: 'tls-failed', summary: `${where}: ${error.message}` };
      end(
        isOwnTrouble(trouble.reason)
          ? unmeasured(trouble.reason, trouble.summary)
          : down(check, trouble.reason, trouble.summary),
      );
    });
    socket.on('close', () => end(down(check, 'reset', `${where}: the connection was closed`)));
    if (signal.aborted) onAbort();
  });
}
