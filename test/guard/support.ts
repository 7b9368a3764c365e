import type { ActionRequest, GuardPolicy } from '../../src/guard/decision.ts';
import { createGuard, type GuardOptions } from '../../src/guard/guard.ts';
import { createRedactor } from '../../src/guard/redact.ts';
import { freshStore } from '../store/support.ts';

export const request = (change: Partial<ActionRequest> = {}): ActionRequest => ({
  incident: 1,
  tool: 'restart_service',
  arguments: { service: 'cache' },
  title: 'restart cache',
  service: 'cache',
  risk: 'reversible',
  undo: 'none needed',
  reason: 'its process is gone',
  by: 'runbook process-down',
  failingChecks: ['cache/tcp'],
  byHand: false,
  ...change,
});

export const policy = (change: Partial<GuardPolicy> = {}): GuardPolicy => ({
  mode: 'act',
  actionsPerServicePerHour: 3,
  ...change,
});

/** A guard on a real store, with a policy that a test may change, and a list of what ran. */
export function freshGuard(options: Partial<GuardOptions> = {}) {
  const { store, folder, clock } = freshStore();
  const current = policy();
  const guard = createGuard({ store, clock, policy: () => current, redact: createRedactor().redact, ...options });
  const ran: string[] = [];
  const execute =
    (name = 'ran') =>
    async () => {
      ran.push(name);
      return { ok: true, summary: `${name} well` };
    };
  return { guard, store, folder, clock, current, ran, execute };
}
