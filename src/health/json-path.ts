/** What stands at a path such as `data.items[0].status` in parsed JSON; undefined when nothing does. A key that holds the whole path wins. */
export function atPath(document: unknown, path: string): unknown {
  if (isRecord(document) && Object.hasOwn(document, path)) return document[path];
  let found = document;
  for (const step of path.match(/[^.[\]]+/g) ?? []) {
    if (Array.isArray(found)) found = found[Number(step)];
    else if (isRecord(found) && Object.hasOwn(found, step)) found = found[step];
    else return undefined;
  }
  return found;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Equal as people mean it: `200` and `"200"` are the same, `null` is only null. */
export const alike = (found: unknown, wanted: string | number | boolean | null): boolean =>
  found === wanted ||
  (found !== null &&
    wanted !== null &&
    typeof found !== 'object' &&
    found !== undefined &&
    String(found) === String(wanted));
