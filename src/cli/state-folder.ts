import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';

/**
 * Why the state folder cannot be used as it should be, in words, with what mends it; null when it can. A folder that is
 * not there yet can be read (as empty) and, where what it would lie in allows, made.
 */
export function stateFolderProblem(folder: string, use: 'read' | 'write'): { text: string; remedy: string } | null {
  const { place, facts } = nearestThere(folder);
  if (facts && !facts.isDirectory())
    return {
      text: `the state folder ${folder} cannot be used: ${place} is not a folder`,
      remedy: `mv ${place} ${place}.old   # or point \`state:\` of nightshift.yaml to a folder`,
    };
  const needed = use === 'write' ? constants.W_OK : place === folder ? constants.R_OK : 0;
  if (facts && may(place, needed | constants.X_OK)) return null;
  const user = userInfo().username;
  return {
    text: `the state folder ${folder} cannot be ${use === 'write' ? 'written to' : 'read'} by ${user}: check who owns ${place}, or point \`state:\` of nightshift.yaml elsewhere`,
    remedy: `sudo install -d -m 700 -o ${user} ${folder}   # or point \`state:\` of nightshift.yaml elsewhere`,
  };
}

/** The folder itself or the nearest one above it that is there; without facts where this user may not even look. */
function nearestThere(folder: string): { place: string; facts: Stats | null } {
  for (let place = folder; ; place = dirname(place)) {
    try {
      const facts = statSync(place, { throwIfNoEntry: false });
      if (facts) return { place, facts };
    } catch {
      return { place: dirname(place), facts: null }; // Not permitted: said in words by the caller.
    }
    if (dirname(place) === place) return { place, facts: null };
  }
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false; // The question is only whether; the caller says it in words.
  }
}
