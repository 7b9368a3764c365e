import { z } from 'zod';
import type { Clock } from '../base/clock.ts';
import { failure, messageOf, type Outcome, success } from '../base/outcome.ts';
import type { Store } from '../store/store.ts';

const messageSchema = z.object({
  incident: z.number(),
  severity: z.string(),
  title: z.string(),
  reason: z.string(),
  action_taken: z.string(),
  what_to_do: z.string(),
  at: z.string(),
  report: z.unknown(),
});
const keptSchema = z.object({ message: messageSchema, firstAt: z.number() });

/** One thing a person must know. */
export type EscalationMessage = z.output<typeof messageSchema>;

const PREFIX = 'outbox.webhook.';
const GIVE_UP_MS = 86_400_000;

/**
 * Sends escalations to one webhook. A message is in the store before it is sent and leaves it once the far side has taken
 * it, so a restart loses none; one that was not taken is tried again at each `flush` for a day.
 */
export interface EscalationOutbox {
  put(message: EscalationMessage): void;
  /** Sends at once and keeps nothing: for when the store itself is what fails. */
  sendNow(message: EscalationMessage): Promise<Outcome<number>>;
  /** Tries everything that waits; says how many were taken and what the others met. */
  flush(signal?: AbortSignal): Promise<{ sent: number; problems: string[] }>;
}

export function createEscalationOutbox(options: {
  store: Store;
  clock: Clock;
  fetch: typeof fetch;
  /** The address, or null when none is configured. Throws when its secret cannot be read. */
  webhook: () => string | null;
}): EscalationOutbox {
  const { store, clock } = options;
  /** One flush at a time: two would send what waits twice. */
  let flushing: Promise<unknown> = Promise.resolve();
  return {
    put(message) {
      store.settings.set(`${PREFIX}${message.incident}.${clock.now()}`, { message, firstAt: clock.now() });
    },
    sendNow: (message) => post(options, message),
    flush(signal) {
      const flushed = flushing.then(() => sendWaiting(signal));
      flushing = flushed.catch(() => undefined);
      return flushed;
    },
  };

  async function sendWaiting(signal?: AbortSignal): Promise<{ sent: number; problems: string[] }> {
    const waiting = store.settings.all(PREFIX).filter((entry) => entry.value !== null);
    const problems: string[] = [];
    let sent = 0;
    for (const { name, value } of waiting) {
      const kept = keptSchema.safeParse(value);
      if (!kept.success) {
        store.settings.set(name, null);
        problems.push(`${name} is not a message that can be read, and was taken away`);
        continue;
      }
      const { message, firstAt } = kept.data;
      const result = await post(options, message, signal);
      const tooOld = clock.now() - firstAt > GIVE_UP_MS;
      if (result.ok || tooOld) store.settings.set(name, null);
      if (result.ok) sent += result.value;
      else problems.push(`${result.error}${tooOld ? '; given up after a day' : '; it will be tried again'}`);
      // All go to one address: when nothing answers there, the others need not run into their time limit one by one.
      if (!result.ok && !result.answered) break;
    }
    return { sent, problems };
  }
}

/** 1 when it was taken, 0 when there is nowhere to send it. */
async function post(
  options: { fetch: typeof fetch; webhook: () => string | null },
  message: EscalationMessage,
  signal?: AbortSignal,
): Promise<Extract<Outcome<number>, { ok: true }> | { ok: false; error: string; answered: boolean }> {
  try {
    const url = options.webhook();
    if (url === null) return success(0);
    const response = await options.fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': `nightshift-${message.incident}-${message.at}`,
      },
      body: JSON.stringify(message),
      redirect: 'error',
      signal: AbortSignal.any([AbortSignal.timeout(10_000), ...(signal ? [signal] : [])]),
    });
    await response.body?.cancel();
    if (response.ok) return success(1);
    return {
      ...failure(`the webhook answered ${response.status} to incident #${message.incident}`),
      answered: true,
    };
  } catch (error) {
    return {
      ...failure(`the webhook did not take incident #${message.incident}: ${messageOf(error)}`),
      answered: false,
    };
  }
}
