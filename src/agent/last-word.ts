import type { RunLimits } from './run.ts';

/** What ends a run before the model does so itself. */
export type LastWord = 'out-of-steps' | 'out-of-time' | 'out-of-tokens' | 'circled' | 'cancelled';

/** What the model is told with its last request. */
export function lastWordFor(why: LastWord): string {
  const because = {
    'out-of-steps': 'There are no more steps.',
    'out-of-time': 'The time is over.',
    'out-of-tokens': 'The budget is used up.',
    circled: 'You still go in a circle, so the tools are taken away.',
    cancelled: '',
  }[why];
  return (
    `${because} Make no more calls. Give your answer now, in the format you were told, from what you have seen. ` +
    'If it is not enough for a cause, say unknown, and say under NOT CHECKED what you would have looked at next.'
  );
}

/** What people are told about how it ended. */
export function endInWords(why: LastWord, limits: RunLimits): string {
  switch (why) {
    case 'out-of-steps':
      return `its ${limits.steps} steps were used up, so it answered with what it had`;
    case 'out-of-time':
      return `its ${Math.round(limits.milliseconds / 1000)} s were over, so it answered with what it had`;
    case 'out-of-tokens':
      return `its budget of ${limits.tokens} tokens${limits.dollars === undefined ? '' : ` or $${limits.dollars}`} was used up, so it answered with what it had`;
    case 'circled':
      return 'it went in a circle, so its tools were taken away';
    case 'cancelled':
      return 'it was stopped';
  }
}
