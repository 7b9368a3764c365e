import type { CheckContext } from './check.ts';
import { exchange } from './exchange.ts';
import { excerpt } from './format.ts';

type Fetched =
  | { ok: true; document: unknown; status: number }
  | { ok: false; measured: boolean; reason: string; summary: string };

/** The JSON at a path below a base URL, whose own path is kept. Any status but 2xx is a failure that quotes the body. */
export async function fetchJson(
  context: Pick<CheckContext, 'host' | 'signal'>,
  base: string,
  path = '',
  query: Record<string, string> = {},
): Promise<Fetched> {
  const url = path === '' ? new URL(base) : new URL(path, base.endsWith('/') ? base : `${base}/`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const result = await exchange(context, { url, follow: true });
  if (!result.ok) return result;
  const { status, body, truncated } = result.answer;
  const text = body.toString('utf8');
  if (status < 200 || status > 299)
    return {
      ok: false,
      measured: true,
      reason: `status-${status}`,
      summary: `${url.host}${url.pathname} answers ${status}: ${excerpt(text, 120)}`,
    };
  if (truncated)
    return {
      ok: false,
      measured: true,
      reason: 'too-large',
      summary: `${url.host}${url.pathname} answers with more than 256 kB`,
    };
  try {
    return { ok: true, document: JSON.parse(text), status };
  } catch {
    return {
      ok: false,
      measured: true,
      reason: 'not-json',
      summary: `${url.host}${url.pathname} does not answer with JSON: ${excerpt(text, 80)}`,
    };
  }
}
