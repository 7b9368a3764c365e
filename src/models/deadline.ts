import type { Clock } from '../base/clock.ts';

/** One request's end: the caller's abort, its time limit, or `stop`, whichever is first. */
export interface Deadline {
  signal: AbortSignal;
  /** Why it ended, or null while it has not. */
  reason(): 'cancelled' | 'timed-out' | 'stopped' | null;
  /** Ends whatever still runs under it. */
  stop(): void;
  /** The answer is there: nothing is ended any more, so that the connection can be used again. */
  release(): void;
}

export function startDeadline(clock: Clock, milliseconds: number, outer: AbortSignal): Deadline {
  const request = new AbortController();
  const timer = new AbortController();
  let over = false;
  let reason: ReturnType<Deadline['reason']> = null;
  const release = () => {
    over = true;
    outer.removeEventListener('abort', cancel);
    // A reason of our own spares the stack trace of the default one.
    timer.abort('over');
  };
  const end = (why: NonNullable<typeof reason>) => {
    if (over) return;
    release();
    reason = why;
    request.abort();
  };
  const cancel = () => end('cancelled');
  if (outer.aborted) cancel();
  else outer.addEventListener('abort', cancel, { once: true });
  void clock.sleep(milliseconds, timer.signal).then(() => end('timed-out'));
  return { signal: request.signal, reason: () => reason, stop: () => end('stopped'), release };
}
