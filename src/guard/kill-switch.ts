import { statSync } from 'node:fs';
import { join } from 'node:path';

/** The file in the state folder that stops every action: `touch STATE/STOP`. */
const KILL_SWITCH = 'STOP';

/** True while the file is there, and when that cannot be known. */
export function killSwitchIn(folder: string): boolean {
  try {
    statSync(join(folder, KILL_SWITCH));
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'));
  }
}
