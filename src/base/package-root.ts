import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

let root: string | undefined;

/** A file that ships with Nightshift (prompts, runbooks), from the source tree and from the compiled package alike. */
export function packageFile(...parts: string[]): string {
  if (root === undefined) {
    let folder = import.meta.dirname;
    // dist/ carries no package.json of its own, so the first one upwards is the package's.
    while (!existsSync(join(folder, 'package.json'))) {
      if (dirname(folder) === folder)
        throw new Error(`no package.json above ${import.meta.dirname}: this installation is not whole`);
      folder = dirname(folder);
    }
    root = folder;
  }
  return join(root, ...parts);
}
