import { type Host, succeeded } from '../../hosts/host.ts';
import { type Found, nothing } from './found.ts';

export interface LaunchdJob {
  label: string;
  pid: number | null;
  /** How it last ended; negative: by that signal. */
  lastExit: number | null;
}

/** `launchctl list`: PID, last exit status and label, with tabs between and a dash for none. */
function parseLaunchctl(text: string): LaunchdJob[] {
  return text.split('\n').flatMap((line) => {
    const match = /^(\d+|-)\t(-?\d+|-)\t(\S+)\s*$/.exec(line);
    if (!match) return [];
    const number = (value: string | undefined) => (value === undefined || value === '-' ? null : Number(value));
    return [{ label: match[3] ?? '', pid: number(match[1]), lastExit: number(match[2]) }];
  });
}

/** Jobs of launchd that are not Apple's nor a desktop program's. Whether one is worth watching shows in what it listens on. */
export async function findJobs(host: Host, platform: string): Promise<Found<LaunchdJob>> {
  if (platform !== 'darwin') return nothing();
  const list = await host.run({ argv: ['launchctl', 'list'], timeoutMs: 8000 });
  if (!succeeded(list)) return nothing('jobs of launchd cannot be seen: launchctl did not answer');
  return {
    items: parseLaunchctl(list.stdout).filter(({ label }) => !/^(com\.apple\.|application\.|\[)/.test(label)),
    notes: [],
  };
}

/** True for a job that runs as a server by its very name, or that has failed. */
export const isServerJob = (job: LaunchdJob): boolean =>
  /^(homebrew\.mxcl\.|org\.nixos\.|local\.)/.test(job.label) && (job.pid !== null || (job.lastExit ?? 0) !== 0);
