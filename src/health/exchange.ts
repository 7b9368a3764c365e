import { addressOf } from './address.ts';
import type { CheckContext } from './check.ts';
import { type Answer, type ExchangeRequest, talk } from './http-request.ts';
import { reachEndpoint } from './reach.ts';
import { isOwnTrouble } from './socket-trouble.ts';

/** `measured` is false when the failure is not one of the endpoint: the host is away, or this machine lacks a port. */
type Exchange = { ok: true; answer: Answer } | { ok: false; measured: boolean; reason: string; summary: string };

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * One GET on a fresh connection, as the host of the service sees the endpoint. Never rejects. It ends when the
 * context's signal aborts, and reads no more than 256 kB of whatever comes back.
 */
export async function exchange(
  context: Pick<CheckContext, 'host' | 'signal'>,
  request: ExchangeRequest,
): Promise<Exchange> {
  const startedAt = performance.now();
  const visited = new Set<string>();
  let { url } = request;
  for (;;) {
    const result = await once(context, { ...request, url }, startedAt);
    if (!result.ok || !request.follow || !REDIRECTS.has(result.answer.status)) return result;
    const next = redirectTarget(result.answer.headers.location, url);
    // Where another site takes over, this one has done its part.
    if (!next || next.origin !== url.origin) return result;
    visited.add(url.href);
    if (visited.has(next.href) || visited.size > MAX_REDIRECTS)
      return {
        ok: false,
        measured: true,
        reason: 'redirect-loop',
        summary: `${request.url.pathname} redirects in a circle (${next.pathname})`,
      };
    url = next;
  }
}

function redirectTarget(location: string | undefined, base: URL): URL | null {
  return location === undefined || !URL.canParse(location, base.href) ? null : new URL(location, base);
}

const portOf = (url: URL): number => Number(url.port) || (url.protocol === 'https:' ? 443 : 80);

async function once(
  { host, signal }: Pick<CheckContext, 'host' | 'signal'>,
  request: ExchangeRequest,
  startedAt: number,
): Promise<Exchange> {
  const { url } = request;
  const reached = await reachEndpoint({ host, signal }, addressOf(url), portOf(url));
  if (!reached.ok) return reached;
  const result = await talk(request, reached.endpoint, signal, startedAt);
  await reached.endpoint[Symbol.asyncDispose]();
  return result.ok ? result : { ...result, measured: !isOwnTrouble(result.reason) };
}
