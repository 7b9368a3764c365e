import type { CheckConfig } from '../config/checks.ts';
import { type Host, type ReachedEndpoint, succeeded } from '../hosts/host.ts';
import type { CheckContext, Measurement } from './check.ts';
import { down, unmeasured } from './finding.ts';
import { excerpt } from './format.ts';

/** `measured` is false when the host itself is away, which says nothing of what runs on it. */
type Reached =
  | { ok: true; endpoint: ReachedEndpoint }
  | { ok: false; measured: boolean; reason: string; summary: string };

/** A far host is asked whether it is there once something on it has taken this long. */
const PATIENCE_MS = 500;

/** Watches whether a far host still answers while something on it is slow. This machine always does. */
export function watchHost(host: Host, signal: AbortSignal): { answers(): boolean; stop(): void } {
  if (host.kind === 'local') return { answers: () => true, stop: () => undefined };
  let answered = false;
  const timer = setTimeout(async () => {
    answered = succeeded(await host.run({ argv: ['true'], timeoutMs: 5000, signal }));
  }, PATIENCE_MS);
  return { answers: () => answered, stop: () => clearTimeout(timer) };
}

/** An endpoint as the host of the service sees it, or why there is none. Ends when the context's signal aborts. */
export async function reachEndpoint(
  { host, signal }: Pick<CheckContext, 'host' | 'signal'>,
  address: string,
  port: number,
): Promise<Reached> {
  if (host.kind === 'local') {
    const reached = await host.reach(address, port);
    if (reached.ok) return { ok: true, endpoint: reached.value };
    return away(host, `${address}:${port}`, reached.error);
  }
  return reachFar(host, signal, address, port);
}

async function reachFar(host: Host, signal: AbortSignal, address: string, port: number): Promise<Reached> {
  const where = `${address}:${port}`;
  const watching = watchHost(host, signal);
  const reaching = host.reach(address, port);
  const aborted = new Promise<null>((resolve) => {
    if (signal.aborted) return resolve(null);
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  const reached = await Promise.race([reaching, aborted]);
  watching.stop();
  if (reached === null) {
    // It may still come, with nobody there to use it.
    void reaching.then(async (late) => {
      if (late.ok) await late.value[Symbol.asyncDispose]();
    });
    if (!watching.answers()) return away(host, where, 'no answer in time');
    return {
      ok: false,
      measured: true,
      reason: 'timed-out',
      summary: `${where}: no connection in time on ${host.name}`,
    };
  }
  if (reached.ok) return { ok: true, endpoint: reached.value };
  const answer = await host.run({ argv: ['true'], timeoutMs: 3000, signal });
  // When the check's own limit cut the question short, what ssh said of the endpoint is all there is, and it was said by the far side.
  if (!succeeded(answer) && answer.failure !== 'cancelled') return away(host, where, reached.error);
  if (/prohibited|not permitted/i.test(reached.error))
    return {
      ok: false,
      measured: false,
      reason: 'not-permitted',
      summary: `${host.name} does not let connections through: ${excerpt(reached.error, 160)}`,
    };
  const reason = REASONS.find(([pattern]) => pattern.test(reached.error))?.[1] ?? 'refused';
  return { ok: false, measured: true, reason, summary: excerpt(`${where} on ${host.name}: ${reached.error}`) };
}

const away = (host: Host, where: string, error: string): Reached => ({
  ok: false,
  measured: false,
  reason: 'host-unreachable',
  summary: excerpt(`${where} cannot be measured, ${host.name} cannot be reached: ${error}`),
});

const REASONS: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/refused/i, 'refused'],
  [/resolve|name or service not known|no address/i, 'dns'],
  [/timed out|no answer in time/i, 'timed-out'],
  [/no route|unreachable/i, 'no-route'],
];

/** The measurement of an endpoint that was not reached. */
export const unreached = (
  check: Pick<CheckConfig, 'as'>,
  { measured, reason, summary }: Extract<Reached, { ok: false }>,
): Measurement => (measured ? down(check, reason, summary) : unmeasured(reason, summary));
