import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../src/base/clock.ts';
import { type OpenedStore, openStore } from '../../src/store/open.ts';

/** A clock that moves only when it is told to. */
export function manualClock(
  start = Date.parse('2026-11-20T12:00:00Z'),
): Clock & { at: number; advance(ms: number): void } {
  return {
    at: start,
    now() {
      return this.at;
    },
    advance(ms) {
      this.at += ms;
    },
    async sleep(ms) {
      this.at += ms;
    },
  };
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function mustOpen(
  folder: string,
  clock: Clock = manualClock(),
  options: { readOnly?: boolean } = {},
): OpenedStore {
  const opened = openStore(folder, { clock, ...options });
  if (!opened.ok) throw new Error(opened.error);
  return opened.value;
}

/** A store in a folder of its own, closed and removed after the test. */
export function freshStore(clock = manualClock()): {
  store: OpenedStore;
  folder: string;
  clock: ReturnType<typeof manualClock>;
} {
  const folder = temporaryFolder();
  const store = mustOpen(folder, clock);
  onTestFinished(() => store.close());
  return { store, folder, clock };
}

export { draft, intent, result } from './fixtures.ts';
