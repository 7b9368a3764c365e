/** What to make of the calls so far: go on, say something once, or take the tools away. */
export type RepeatVerdict = { kind: 'fine' } | { kind: 'warn'; text: string } | { kind: 'stop'; text: string };

export interface RepeatWatch {
  /** A call that was made: its name and arguments as one text, and whether it worked. */
  note(call: string, ok: boolean): void;
  /** This call was an action that was carried out: looking again is right now, so the count starts anew, but for actions. */
  acted(call: string): void;
  /** The state after a round of calls. A circle is warned of once; the next one ends it. */
  verdict(): RepeatVerdict;
}

const SAME = 3;
const ERRORS = 4;
/** Calls that are looked back at. */
const WINDOW = 24;

/** Notices three of the same call, an A-B-A-B, and a run of errors. */
export function createRepeatWatch(): RepeatWatch {
  let calls: { call: string; ok: boolean }[] = [];
  let warned = false;
  const actions = new Set<string>();

  const circle = (): string | null => {
    const last = calls.at(-1);
    if (!last) return null;
    const tail = calls.slice(-ERRORS);
    if (tail.length === ERRORS && tail.every((each) => !each.ok)) return `the last ${ERRORS} calls failed`;
    if (calls.filter((each) => each.call === last.call).length >= SAME) {
      return `the same call was made ${SAME} times: ${last.call}`;
    }
    const [a, b, c, d] = calls.slice(-4).map((each) => each.call);
    if (d !== undefined && a === c && b === d && a !== b) return `two calls take turns: ${a} and ${b}`;
    return null;
  };

  return {
    note(call, ok) {
      calls.push({ call, ok });
      if (calls.length > WINDOW) calls.shift();
    },
    acted(call) {
      if (!actions.has(call)) warned = false;
      actions.add(call);
      calls = calls.filter((each) => actions.has(each.call));
    },
    verdict() {
      const found = circle();
      if (found === null) return { kind: 'fine' };
      if (warned) return { kind: 'stop', text: `${found}, again. No more tools: answer with what you have.` };
      warned = true;
      // What led to the warning is forgiven; the next circle counts from here.
      calls = calls.slice(-1);
      return {
        kind: 'warn',
        text: `You go in a circle: ${found}. It will not say anything new. Look at something else, or give your answer.`,
      };
    },
  };
}
