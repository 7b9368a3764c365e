import type { Diagnosis } from './incident.ts';

/** What keeps a mechanism from coming back, by words of its short id. The first that fits counts, so the more exact go first. */
const measures: readonly (readonly [RegExp, (object: string) => string])[] = [
  [
    /crash-?loop|restart-?loop|poison/,
    (object) =>
      `Find what ${object} dies of (the same stack each time) and set that input aside or roll the release back; a restart only repeats it.`,
  ],
  [
    /release|deploy|rollback/,
    () => 'Let a health check decide whether a release goes live, and keep the one before it ready to go back to.',
  ],
  [
    /syntax|config|setting|directive|environment/,
    (object) =>
      `Test the configuration of ${object} before it is loaded (config_test:), and keep it under files: so that the last good version is at hand.`,
  ],
  [
    /out-?of-?memory|oom|leak|memory/,
    (object) =>
      `Give ${object} a memory limit and watch its growth (memory: service); a restart buys time, the leak itself has to be found.`,
  ],
  [
    /inode/,
    (object) =>
      `Find what makes so many small files on ${object}, delete them on a schedule, and watch inodes as well as space.`,
  ],
  [
    /log-?flood|log-?grow|log-?size|file-?size|log-large/,
    (object) => `Rotate the log of ${object} by size (rotate:), and lower what it logs in a loop.`,
  ],
  [
    /disk|space|enospc/,
    () => 'Rotate logs and clear caches before the limit (rotate:, clear:), and warn at 80 % so that there is time.',
  ],
  [
    /connection|slots|pool/,
    (object) =>
      `Limit the pool of each client of ${object} and set an idle timeout there, so that forgotten sessions end by themselves.`,
  ],
  [/certificate|tls|expired/, () => 'Renew certificates by a timer, and check their end date with 14 days to spare.'],
  [
    /port|eaddrinuse|address-in-use/,
    (object) => `Give the port of ${object} to one program only: find what starts the other one, and disable that.`,
  ],
  [
    /permission|eacces|owner/,
    () => 'Set owner and mode where the files are made (unit file, deployment), not by hand afterwards.',
  ],
  [
    /descriptor|emfile|nofile/,
    (object) => `Raise the limit of open files for ${object}, and find what it does not close.`,
  ],
  [/throttl|quota/, (object) => `Raise the CPU quota of ${object}, or move what competes with it.`],
  [
    /event-?loop|blocked|cpu/,
    (object) => `Move long work of ${object} out of its main loop, and give requests a time limit.`,
  ],
  [
    /hung|frozen|paused|stopped-process|no-answer|timed?-?out|slow/,
    (object) =>
      `Let the manager of ${object} watch for an answer, not only for a process (a watchdog or health check), and set time limits on what it waits for.`,
  ],
  [/dns|resolv/, () => 'Give the resolver a second server, and check name resolution by itself.'],
  [
    /dependency|upstream/,
    (object) =>
      `Let what needs ${object} wait and try again instead of failing, and let the manager of ${object} start it again by itself.`,
  ],
  [
    /deadlock|index|query|database/,
    (object) => `Look at the slow query log of ${object}, and test schema changes against a copy first.`,
  ],
  [/persist|misconf|bgsave/, (object) => `Give ${object} a disk of its own, and alert on its last save.`],
  [
    /heartbeat|cron|missed|schedule/,
    () => 'Let the job report its end (nightshift ping), and let its scheduler catch up after a pause.',
  ],
  [
    /firewall|network|unreachable/,
    () => 'Keep firewall rules in one file that is tested, and probe the path from the side of the client.',
  ],
  [/zombie|pids/, (object) => `Let ${object} collect its children, or run it under an init that does.`],
  [
    /process-(?:down|gone|dead|killed)|not-running|killed|exited|crash|down|dead|failed/,
    (object) =>
      `Let its manager start ${object} again by itself (Restart=on-failure, a restart policy), and find out what ended it.`,
  ],
];

/** What to do so that it does not come back: what the diagnosis advises, else the usual measure for its mechanism, else null. */
export function preventionFor(diagnosis: Diagnosis | null): string | null {
  if (diagnosis === null) return null;
  if (diagnosis.advice) return diagnosis.advice;
  if (diagnosis.cause === 'unknown') return null;
  const measure = measures.find(([words]) => words.test(diagnosis.cause.toLowerCase()));
  return measure ? measure[1](diagnosis.object || 'the service') : null;
}
