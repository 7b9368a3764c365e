import type { Clock } from '../../src/base/clock.ts';

interface Sleeper {
  at: number;
  wake: () => void;
}

/** Time that passes only as fast as there is nothing left to do: hours run in milliseconds, in the right order. */
export class SimulatedClock implements Clock {
  #now = Date.parse('2026-03-01T12:00:00Z');
  #sleepers: Sleeper[] = [];

  now(): number {
    return this.#now;
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = () => {
        signal?.removeEventListener('abort', end);
        this.#sleepers = this.#sleepers.filter((each) => each !== sleeper);
        resolve();
      };
      const sleeper = { at: this.#now + Math.max(Math.ceil(milliseconds), 0), wake: end };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', end, { once: true });
    });
  }

  /** Lets time pass until something is so, or for this long; says whether it was so. */
  async pass(milliseconds: number, isSo: () => boolean = () => false): Promise<boolean> {
    const end = this.#now + Math.ceil(milliseconds);
    for (;;) {
      await quiet();
      if (isSo()) return true;
      const next = this.#sleepers.reduce((soonest, each) => Math.min(soonest, each.at), Number.POSITIVE_INFINITY);
      if (next > end) {
        this.#now = end;
        await quiet();
        return isSo();
      }
      this.#now = Math.max(this.#now, next);
      for (const sleeper of this.#sleepers.filter((each) => each.at <= this.#now)) sleeper.wake();
    }
  }
}

/** Whatever can go on without time passing has gone on. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
