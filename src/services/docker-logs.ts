interface Stamped {
  stamp: string;
  line: string;
}

/** Docker stamps each line with a time of fixed width in UTC, so that stamps compare as text. */
const STAMP = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d+(?:Z|[+-]\d{2}:\d{2})) /;

/** Lines of several streams of `docker logs --timestamps` in the order of time; a line without a stamp follows its own. */
export function mergeStreams(streams: readonly string[]): string {
  const entries: Stamped[] = [];
  for (const stream of streams) {
    let stamp = '';
    for (const line of stream.split('\n')) {
      if (line === '') continue;
      stamp = STAMP.exec(line)?.[1] ?? stamp;
      entries.push({ stamp, line });
    }
  }
  // The sort is stable: lines of one stream with the same stamp keep their order.
  entries.sort((one, other) => (one.stamp < other.stamp ? -1 : one.stamp > other.stamp ? 1 : 0));
  return entries.map(({ line }) => line).join('\n');
}
