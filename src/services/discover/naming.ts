/** Gives out names that are valid in the configuration, short, and given once. */
export function createNames(reserved: readonly string[] = ['machine', 'local']): (wanted: string) => string {
  const taken = new Set(reserved);
  return (wanted) => {
    const clean =
      wanted
        .replace(/\.service$/, '')
        .replace(/[^A-Za-z0-9._-]+/g, '-')
        .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
        .slice(0, 40)
        .replace(/[^A-Za-z0-9]+$/, '') || 'service';
    let name = clean;
    for (let number = 2; taken.has(name.toLowerCase()); number++) name = `${clean}-${number}`;
    taken.add(name.toLowerCase());
    return name;
  };
}
