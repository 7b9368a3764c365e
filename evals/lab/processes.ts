import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** The process table itself, so that a verdict does not rest on what Nightshift measured. */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  // The state stands behind the name, which may hold anything; a zombie is dead.
  return stat !== null && stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
}

/** Pids whose command line or working directory names a folder: the unique folder of a case marks what belongs to it. */
async function processesOf(folder: string): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const directory = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    if (command.includes(folder) || directory === folder || directory.startsWith(`${folder}/`)) found.push(pid);
  }
  return found;
}

/** Ends what belongs to a folder: SIGTERM, and what is left after two seconds SIGKILL. */
export async function endProcessesOf(folder: string): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const left = await processesOf(folder);
    for (const pid of left) {
      try {
        process.kill(pid, signal);
      } catch (thrown) {
        // ESRCH: gone between the look and the signal.
        if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ESRCH')) throw thrown;
      }
    }
    for (let waited = 0; waited < 2000 && (await anyAlive(left)); waited += 100) await pause(100);
  }
}

async function anyAlive(pids: number[]): Promise<boolean> {
  for (const pid of pids) if (await isAlive(pid)) return true;
  return false;
}
