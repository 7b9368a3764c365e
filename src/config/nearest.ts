/** Words people write for what is called something else here. */
const SYNONYMS: Readonly<Record<string, string>> = {
  cmd: 'command',
  cwd: 'directory',
  dir: 'directory',
  workdir: 'directory',
  workingdirectory: 'directory',
  exec: 'start',
  command: 'start',
  run: 'start',
  env: 'environment',
  dependson: 'depends_on',
  needs: 'depends_on',
  requires: 'depends_on',
  deps: 'depends_on',
  interval: 'every',
  period: 'every',
  timeout: 'within',
  retries: 'fails',
  threshold: 'critical',
  crit: 'critical',
  warning: 'warn',
  label: 'unit',
  program: 'unit',
  pidfile: 'pid_file',
  log: 'logs',
  logfile: 'logs',
  url: 'http',
  https: 'http',
  port: 'tcp',
  endpoint: 'http',
  tls: 'certificate',
  ssl: 'certificate',
  cert: 'certificate',
  ram: 'memory',
  mem: 'memory',
  load: 'cpu',
  database: 'postgres',
  postgresql: 'postgres',
  pg: 'postgres',
  api_key: 'key',
  apikey: 'key',
  token: 'key',
  stateful: 'state',
  statedir: 'state',
  statefolder: 'state',
  providers: 'models',
  servers: 'hosts',
  machines: 'hosts',
  webhookurl: 'webhook',
  service: 'unit',
  readonly: 'observe',
  watch: 'observe',
  ask: 'propose',
  auto: 'act',
  supervisord: 'supervisor',
  systemctl: 'systemd',
  container: 'docker',
  dockercompose: 'compose',
  launchctl: 'launchd',
};

const plain = (word: string): string => word.toLowerCase().replace(/[\s_-]+/g, '');

/** Edits (insert, delete, replace, swap of neighbours) that turn one word into the other. */
export function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let least = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1])
        least = Math.min(least, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(least);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[to.length] ?? 0;
}

/** The candidate a person most likely meant, or null when none is near enough to be worth naming. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  const wanted = plain(word).slice(0, 64);
  if (wanted === '') return null;
  const exact = candidates.find((candidate) => plain(candidate) === wanted);
  if (exact !== undefined) return exact;
  let best: { candidate: string; distance: number } | null = null;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, plain(candidate));
    if (!best || distance < best.distance) best = { candidate, distance };
  }
  if (best && best.distance <= Math.max(1, Math.floor(wanted.length / 3)) && best.distance < wanted.length)
    return best.candidate;
  const synonym = SYNONYMS[wanted] ?? SYNONYMS[word.toLowerCase()];
  if (synonym !== undefined && candidates.includes(synonym)) return synonym;
  const longer = candidates.filter((candidate) => wanted.length >= 3 && plain(candidate).startsWith(wanted));
  return longer.length === 1 ? (longer[0] ?? null) : null;
}
