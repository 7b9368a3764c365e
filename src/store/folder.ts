import { statSync } from 'node:fs';

const OTHERS_MAY_WRITE = 0o002;

/**
 * Why a state folder is not used; null when it may be. Whoever can write into it could answer our questions with yes, allow
 * commands, and put links where we write. Root may use a folder of an ordinary user: it is that user's Nightshift.
 */
export function strangeFolder(folder: string): string | null {
  const facts = statSync(folder, { throwIfNoEntry: false });
  const own = process.getuid?.();
  if (!facts?.isDirectory() || own === undefined) return null;
  if ((facts.mode & OTHERS_MAY_WRITE) !== 0)
    return `every user of this machine may write into the state folder ${folder}, and could approve actions there: chmod o-w ${folder}, or point \`state:\` elsewhere`;
  if (own !== 0 && facts.uid !== own && facts.uid !== 0)
    return `the state folder ${folder} belongs to another user (${facts.uid}), who could approve actions there: point \`state:\` elsewhere`;
  return null;
}
