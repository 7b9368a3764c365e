import { isAbsolute, join, resolve } from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;
export type Platform = NodeJS.Platform | string;

/** What completing a configuration needs to know of the world. */
export interface ConfigOptions {
  environment: Environment;
  /** The home folder of the user. */
  home: string;
  /** As `process.platform` has it. */
  platform: Platform;
}

/** `~` and `~/x` in the home folder; everything else as it is. */
export const expandHome = (path: string, home: string): string =>
  path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : path;

/** A path as written, made absolute relative to a folder. */
export const absolutePath = (path: string, folder: string, home: string): string =>
  resolve(folder, expandHome(path, home));

/** Where state is kept when the configuration does not say: the XDG state folder, or Application Support on macOS. */
export function defaultStateFolder({ environment, home, platform }: ConfigOptions): string {
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'nightshift');
  const xdg = environment.XDG_STATE_HOME;
  // The XDG specification has relative paths ignored.
  return join(xdg && isAbsolute(xdg) ? xdg : join(home, '.local', 'state'), 'nightshift');
}
