import type { Store } from '../store/store.ts';

const nameOf = (incident: number): string => `claim.${incident}`;

/** Says that this process works on an incident by hand, so that a running watch leaves it alone. */
export function claimIncident(store: Store, incident: number, pid: number): void {
  store.settings.set(nameOf(incident), pid);
}

export function releaseIncident(store: Store, incident: number): void {
  store.settings.set(nameOf(incident), null);
}

/** True when another process that still lives works on it. */
export function isClaimedElsewhere(store: Store, incident: number, pid: number): boolean {
  const holder = store.settings.get(nameOf(incident));
  if (typeof holder !== 'number' || holder === pid) return false;
  try {
    process.kill(holder, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, under another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
