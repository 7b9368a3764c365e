import type { Host } from '../../src/hosts/host.ts';

const TAIL_BYTES = 128 * 1024;
const SHOWN = 8;

/** Packages that were installed, upgraded or removed at or after `since`, newest first: Debian's own log; elsewhere none. */
export async function packageChanges(host: Host, since: number): Promise<string[]> {
  if ((await host.platform()) !== 'linux') return [];
  const [read, zone] = await Promise.all([
    host.readFile('/var/log/dpkg.log', { maxBytes: TAIL_BYTES, fromEnd: true }),
    host.run({ argv: ['date', '+%z'], timeoutMs: 5000 }),
  ]);
  return read.ok ? parseDpkg(read.value.text, since, /^[+-]\d{4}/.exec(zone.stdout)?.[0]).slice(0, SHOWN) : [];
}

/** `2026-11-21 03:01:07 upgrade nginx:amd64 1.22.0-1 1.22.1-9`; its times are those of the machine, whose zone is `+0100`. */
export const parseDpkg = (text: string, since: number, zone = ''): string[] =>
  text
    .split('\n')
    .flatMap((line) => {
      const match =
        /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (install|upgrade|remove|purge) (\S+?)(?::\S+)? (\S+) (\S+)$/.exec(line);
      if (!match || !(Date.parse(`${match[1]?.replace(' ', 'T')}${zone}`) >= since)) return [];
      const [, at, what, name, before, after] = match;
      return [
        what === 'upgrade'
          ? `${at} upgrade ${name} ${before} -> ${after}`
          : `${at} ${what} ${name} ${after === '<none>' ? before : after}`,
      ];
    })
    .reverse();
