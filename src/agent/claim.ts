import { z } from 'zod';
import type { Store } from '../store/store.ts';

const nameOf = (incident: number): string => `claim.${incident}`;
const claimSchema = z.object({ pid: z.number(), at: z.number() });

/** After this long a claim counts for nothing, even if a process with its pid lives: pids are used again. */
const STALE_MS = 3_600_000;

/** Says that this process works on an incident by hand, so that a running watch leaves it alone. */
export function claimIncident(store: Store, incident: number, pid: number, now: number): void {
  store.settings.set(nameOf(incident), { pid, at: now });
}

export function releaseIncident(store: Store, incident: number): void {
  store.settings.set(nameOf(incident), null);
}

/** True when another process that still lives works on it. */
export function isClaimedElsewhere(store: Store, incident: number, pid: number, now: number): boolean {
  const claim = claimSchema.safeParse(store.settings.get(nameOf(incident))).data;
  if (!claim || claim.pid === pid || now - claim.at > STALE_MS) return false;
  try {
    process.kill(claim.pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, under another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
