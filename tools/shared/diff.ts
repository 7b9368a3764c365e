/** Beyond this many comparisons a diff would take long and tell little. */
const MOST_COMPARISONS = 4_000_000;

interface Difference {
  added: number;
  removed: number;
  /** In unified form without the file header; null when the two differ too much to be worth showing. */
  text: string | null;
}

interface Step {
  sign: ' ' | '+' | '-';
  line: string;
}

/** What changed between two texts, by lines, with `around` lines of context. */
export function difference(before: string, after: string, around = 1): Difference {
  const old = linesOf(before);
  const now = linesOf(after);
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  const middleOld = old.slice(start, old.length - end);
  const middleNow = now.slice(start, now.length - end);
  if (middleOld.length * middleNow.length > MOST_COMPARISONS)
    return { added: middleNow.length, removed: middleOld.length, text: null };
  const steps: Step[] = [
    ...old.slice(Math.max(0, start - around), start).map((line): Step => ({ sign: ' ', line })),
    ...compare(middleOld, middleNow),
    ...old.slice(old.length - end, old.length - end + around).map((line): Step => ({ sign: ' ', line })),
  ];
  return {
    added: steps.filter((step) => step.sign === '+').length,
    removed: steps.filter((step) => step.sign === '-').length,
    text: written(steps, Math.max(0, start - around), around),
  };
}

const linesOf = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

/** Longest common subsequence; the table holds its length for the rest of both from each place. */
function compare(old: readonly string[], now: readonly string[]): Step[] {
  const width = now.length + 1;
  const length = new Uint32Array((old.length + 1) * width);
  const at = (i: number, j: number): number => length[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      length[i * width + j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const steps: Step[] = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      steps.push({ sign: ' ', line: old[i] ?? '' });
      i += 1;
      j += 1;
    } else if (j >= now.length || (i < old.length && at(i + 1, j) >= at(i, j + 1))) {
      steps.push({ sign: '-', line: old[i] ?? '' });
      i += 1;
    } else {
      steps.push({ sign: '+', line: now[j] ?? '' });
      j += 1;
    }
  }
  return steps;
}

/** Changed lines with their surroundings; a heading says at which line of the new text each piece begins. */
function written(steps: readonly Step[], firstLine: number, around: number): string {
  const near = (index: number) =>
    steps.slice(Math.max(0, index - around), index + around + 1).some((step) => step.sign !== ' ');
  const out: string[] = [];
  let line = firstLine + 1;
  let open = false;
  for (const [index, step] of steps.entries()) {
    if (near(index)) {
      if (!open) out.push(`@@ line ${line} @@`);
      out.push(step.sign + step.line);
    }
    open = near(index);
    if (step.sign !== '-') line += 1;
  }
  return out.join('\n');
}
