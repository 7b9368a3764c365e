import { z } from 'zod';

const withCode = z.object({ code: z.string() });

/** The code of a socket, DNS, TLS or parser error, or an empty text. */
export const codeOf = (thrown: unknown): string => withCode.safeParse(thrown).data?.code ?? '';

/** How a connection failed: a stable word and a sentence. Null for what is not a connection's failure. */
export function socketTrouble(thrown: unknown, where: string): { reason: string; summary: string } | null {
  const code = codeOf(thrown);
  const found = BY_CODE[code];
  if (found) return { reason: found[0], summary: `${where}: ${found[1]}` };
  if (/^(SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|CERT_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|ERR_TLS_CERT)/.test(code))
    return { reason: 'tls-untrusted', summary: `${where}: nobody vouches for its certificate (${code})` };
  if (/^(EPROTO|ERR_SSL_|ERR_TLS_)/.test(code))
    return { reason: 'tls-failed', summary: `${where}: no TLS connection could be made (${code})` };
  return null;
}

const BY_CODE: Readonly<Record<string, readonly [reason: string, text: string]>> = {
  ECONNREFUSED: ['refused', 'connection refused'],
  ECONNRESET: ['reset', 'connection reset'],
  EPIPE: ['reset', 'connection reset'],
  ENOTFOUND: ['dns', 'its name is not known'],
  EAI_AGAIN: ['dns', 'its name could not be looked up (no answer from DNS)'],
  EAI_FAIL: ['dns', 'its name could not be looked up'],
  ETIMEDOUT: ['timed-out', 'no connection (timed out)'],
  EHOSTUNREACH: ['no-route', 'no route to it'],
  ENETUNREACH: ['no-route', 'its network cannot be reached'],
  EADDRNOTAVAIL: ['no-local-port', 'this machine has no free local port for a connection'],
  EMFILE: ['no-local-descriptor', 'Nightshift itself has no free file descriptor'],
  CERT_HAS_EXPIRED: ['tls-expired', 'its certificate has expired'],
  CERT_NOT_YET_VALID: ['tls-not-yet-valid', 'its certificate is not valid yet'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['tls-wrong-name', 'its certificate is for another name'],
};

/** Troubles of this machine, which say nothing of the service. */
export const isOwnTrouble = (reason: string): boolean => reason === 'no-local-port' || reason === 'no-local-descriptor';
