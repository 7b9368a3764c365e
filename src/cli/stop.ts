import type { Terminal } from './terminal.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Work that can be stopped: by Ctrl-C, by a signal, or because nobody reads its output any more. */
export interface Stopping {
  signal: AbortSignal;
  /** True once a signal came: the exit code is then the shell's for an interrupted program. */
  readonly interrupted: boolean;
  end(): void;
}

/** `onStop` is called once, at the first signal. A second Ctrl-C ends the process at once, unless `patient`: then cleaning up is let finish. */
export function stopOnSignals(terminal: Terminal, onStop: () => void, { patient = false } = {}): Stopping {
  const stop = new AbortController();
  let presses = 0;
  const onSignal = (): void => {
    presses += 1;
    if (presses > 1) {
      if (!patient) process.exit(130);
      return;
    }
    onStop();
    stop.abort();
  };
  // `nohup` has SIGHUP ignored, and a handler would undo that: without a terminal nobody can hang up.
  const heard = SIGNALS.filter((name) => name !== 'SIGHUP' || process.stdin.isTTY === true);
  for (const name of heard) process.on(name, onSignal);
  return {
    signal: AbortSignal.any([stop.signal, terminal.closed]),
    get interrupted() {
      return presses > 0;
    },
    end() {
      for (const name of heard) process.off(name, onSignal);
    },
  };
}
