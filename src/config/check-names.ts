/** What the checks of one service are called: the name given, else the kind, else the kind with a number (`http-2`). */
export function checkNames(checks: readonly { kind: string; name?: string | null }[]): string[] {
  const given = new Set(checks.flatMap((check) => check.name ?? []));
  const taken = new Set<string>();
  return checks.map((check) => {
    if (check.name) {
      taken.add(check.name);
      return check.name;
    }
    let name = check.kind;
    for (let number = 2; given.has(name) || taken.has(name); number++) name = `${check.kind}-${number}`;
    taken.add(name);
    return name;
  });
}
