/** The word among those known that is most like one that is not; null when none is like it. */
export function nearest(word: string, known: readonly string[]): string | null {
  const wanted = word.toLowerCase();
  let best: string | null = null;
  let least = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const each of known.slice(0, 500)) {
    const candidate = each.toLowerCase();
    const contains = wanted.length >= 3 && (candidate.includes(wanted) || wanted.includes(candidate));
    const distance = contains
      ? Math.min(2, Math.abs(candidate.length - wanted.length))
      : editDistance(wanted, candidate);
    if (distance < least) [best, least] = [each, distance];
  }
  return best;
}

/** Letters to add, drop or change to get from one word to the other (Levenshtein). Long words count by their beginning. */
function editDistance(one: string, other: string): number {
  const a = one.slice(0, 64);
  const b = other.slice(0, 64);
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
