import { connect } from 'node:net';
import { hostAndPort } from '../address.ts';
import type { CheckRunner } from '../check.ts';
import { down, unmeasured } from '../finding.ts';
import { formatSpan, tenth } from '../format.ts';
import { breachOf, limitText } from '../limits.ts';
import { reachEndpoint, unreached } from '../reach.ts';
import { isOwnTrouble, socketTrouble } from '../socket-trouble.ts';

type Knock = { ok: true; latencyMs: number } | { ok: false; reason: string; summary: string };

/** A port that accepts connections, and how long it takes to. */
export const tcp: CheckRunner<'tcp'> = async (check, { host, signal }) => {
  const { settings } = check;
  const { address, port } = hostAndPort(settings.tcp);
  const reached = await reachEndpoint({ host, signal }, address, port);
  if (!reached.ok) return unreached(check, reached);
  const knocked = await knock(settings.tcp, reached.endpoint, signal);
  await reached.endpoint[Symbol.asyncDispose]();
  if (!knocked.ok) {
    const { reason, summary } = knocked;
    return isOwnTrouble(reason) ? unmeasured(reason, summary) : down(check, reason, summary);
  }
  const latency = tenth(knocked.latencyMs);
  const more = { value: latency, unit: 'ms', facts: { latency_ms: latency } };
  const summary = `${settings.tcp} accepts connections in ${formatSpan(knocked.latencyMs)}`;
  const breach = breachOf(knocked.latencyMs, settings);
  if (!breach) return { verdict: 'ok', summary, ...more };
  return {
    verdict: breach.verdict,
    reason: 'slow',
    summary: `${summary} (limit: ${limitText(breach.limit)})`,
    ...more,
  };
};

function knock(
  where: string,
  { address, port }: { address: string; port: number },
  signal: AbortSignal,
): Promise<Knock> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const socket = connect({ host: address, port });
    const end = (knocked: Knock): void => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(knocked);
    };
    const onAbort = (): void =>
      end({
        ok: false,
        reason: 'timed-out',
        summary: `${where}: no connection within ${formatSpan(performance.now() - startedAt)}`,
      });
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', (error) =>
      end({
        ok: false,
        ...(socketTrouble(error, where) ?? { reason: 'failed', summary: `${where}: ${error.message}` }),
      }),
    );
    socket.on('connect', () => end({ ok: true, latencyMs: performance.now() - startedAt }));
    if (signal.aborted) onAbort();
  });
}
