/** `127.0.0.1:6379` and `[::1]:6379` in their two parts. */
export function hostAndPort(text: string): { address: string; port: number } {
  const colon = text.lastIndexOf(':');
  return { address: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}

/** The host of a URL without the brackets of IPv6. */
export const addressOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');
