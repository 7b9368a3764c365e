import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expandHome } from './paths.ts';

interface Where {
  /** The working folder. */
  directory: string;
  home: string;
  platform: string;
}

/** Where a configuration is looked for, best first, when none was named. */
const configPlaces = ({ directory, home, platform }: Where): string[] => [
  join(directory, 'nightshift.yaml'),
  join(directory, 'nightshift.yml'),
  join(home, '.config', 'nightshift', 'nightshift.yaml'),
  ...(platform === 'win32' ? [] : ['/etc/nightshift/nightshift.yaml']),
];

/** The file named explicitly (whether or not it exists: the loader says so), else the first one that is there, else null. */
export function findConfig(explicit: string | undefined, where: Where): string | null {
  if (explicit !== undefined && explicit !== '') return resolve(where.directory, expandHome(explicit, where.home));
  return configPlaces(where).find((place) => existsSync(place)) ?? null;
}
