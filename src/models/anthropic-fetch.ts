import { excerpt } from './failure.ts';

/** The longest wait that a server's Retry-After gets; the SDK itself would sleep for any time it is told. */
const LONGEST_WAIT_S = 10;

/**
 * Mends two things before the SDK sees an answer: a Retry-After beyond ten seconds means no retry (the next provider is
 * quicker), and a 200 that is no event stream, such as a proxy's web page, becomes an error instead of an empty answer.
 */
export function mendingFetch(inner: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await inner(input, init);
    if (response.ok) {
      const type = response.headers.get('content-type') ?? '';
      if (type.includes('text/event-stream')) return response;
      const text = excerpt(await response.text());
      const message = `not a model's answer but ${type || 'something unnamed'}: "${text}". Is the url right?`;
      return new Response(JSON.stringify({ error: { type: 'not_an_api', message } }), {
        status: 502,
        headers: { 'content-type': 'application/json', 'x-should-retry': 'false' },
      });
    }
    const wait = waitSeconds(response.headers);
    if (wait === null || wait <= LONGEST_WAIT_S) return response;
    const headers = new Headers(response.headers);
    headers.set('x-should-retry', 'false');
    return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
  };
}

/** Seconds that Retry-After or retry-after-ms ask for; null when neither does. */
export function waitSeconds(headers: Headers, now = Date.now()): number | null {
  const milliseconds = Number.parseFloat(headers.get('retry-after-ms') ?? '');
  if (Number.isFinite(milliseconds)) return milliseconds / 1000;
  const written = headers.get('retry-after');
  if (written === null) return null;
  const seconds = Number.parseFloat(written);
  if (/^\s*\d/.test(written) && Number.isFinite(seconds)) return seconds;
  const date = Date.parse(written);
  return Number.isNaN(date) ? null : Math.max(0, (date - now) / 1000);
}
