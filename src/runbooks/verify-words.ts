import { failure, type Outcome, success } from '../base/outcome.ts';
import type { CheckConfig, CheckKind } from '../config/checks.ts';
import { nearest } from '../config/nearest.ts';
import type { Config } from '../config/schema.ts';
import type { Expression } from './runbook.ts';

/** Words that carry no meaning of their own in "check that the worker heartbeat is ok again". */
const FILLERS = new Set(
  'a again all an and answer are back be check checks come comes confirm curl do does ensure fine for from get good healthy in is it its make measure of ok okay on once or pass passes passing probe recent respond responding responds return returns see service services should still sure test that the then to until up verify wait was when with work works'.split(
    ' ',
  ),
);

/** What people call a kind of check beside its own name. */
const KIND_WORDS: Partial<Record<CheckKind, string>> = {
  http: 'endpoint health http https page status url web api',
  tcp: 'port tcp socket listening listens connection connections',
  process: 'process running alive pid',
  unit: 'unit systemd active running',
  container: 'container docker running health',
  disk: 'disk space inodes filesystem',
  memory: 'memory ram',
  cpu: 'cpu load',
  redis: 'redis ping cache',
  postgres: 'postgres postgresql database db connections',
  heartbeat: 'heartbeat heartbeats beat alive',
  log_rate: 'log logs errors rate',
  file_size: 'log logs size file',
  certificate: 'certificate tls ssl',
  ollama: 'ollama models model',
  prometheus: 'prometheus query metric',
  metric: 'metric number',
  command: 'command script',
};

/** All checks of one service, filled in when the service of the incident is known. */
export const ALL_CHECKS = '{service}/*';

/**
 * The checks a `verify` means. It may name them (`api/http`), leave the service open (`{service}`), or say it in prose
 * ("check worker heartbeat"): then every word that carries meaning must name a service of the inventory or one of its
 * checks. Services are those it names, else those the symptoms name, else all.
 */
export function resolveVerify(
  text: string,
  config: Pick<Config, 'services'>,
  symptoms: readonly Expression[],
): Outcome<string[]> {
  const wanted = text.trim();
  if (wanted === '{service}' || wanted === ALL_CHECKS || /^(all|its)( the)? checks$/i.test(wanted))
    return success([ALL_CHECKS]);
  const services = [...config.services.values()];
  const all = services.flatMap((service) => service.checks);
  if (all.some((check) => check.key === wanted)) return success([wanted]);
  if (/^\S+\/\S+$/.test(wanted)) {
    const open = all.some((check) => `{service}/${check.name}` === wanted);
    const near = nearest(
      wanted,
      all.map((check) => check.key),
    );
    return open ? success([wanted]) : failure(`there is no check ${wanted}${near ? `; did you mean ${near}?` : ''}`);
  }
  const named = services.find((service) => service.name === wanted);
  if (named && named.checks.length > 0) return success(named.checks.map((check) => check.key));

  const words = tokens(wanted).filter((word) => !FILLERS.has(word));
  if (words.length === 0) return failure(`"${wanted}" names no check`);
  const byWords = services.filter((service) =>
    tokens(`${service.name} ${service.unit}`).some((word) => words.includes(word)),
  );
  const bySymptoms = services.filter((service) => symptoms.some((symptom) => mentions(symptom, service.name)));
  // A word may name a service and a kind of check alike ("redis"): the first reading under which every word finds its match counts.
  for (const candidates of [byWords, bySymptoms, services]) {
    const found = checksMeant(words, candidates);
    if (found.length > 0) return success(found.map((check) => check.key));
  }
  const offered = (byWords.length > 0 ? byWords : bySymptoms.length > 0 ? bySymptoms : services)
    .flatMap((service) => service.checks)
    .slice(0, 8)
    .map((check) => check.key);
  return failure(
    `"${wanted}" names no check of the inventory; ${offered.length > 0 ? `there are ${offered.join(', ')}` : 'it has no checks'}`,
  );
}

function checksMeant(
  words: string[],
  services: { name: string; unit: string; checks: CheckConfig[] }[],
): CheckConfig[] {
  return services.flatMap((service) => {
    const ofService = new Set(tokens(`${service.name} ${service.unit}`));
    const rest = words.filter((word) => !ofService.has(word));
    const about = (check: CheckConfig) =>
      new Set(tokens(`${check.name} ${check.kind} ${KIND_WORDS[check.kind] ?? ''}`));
    const matching = service.checks.filter((check) => rest.every((word) => about(check).has(word)));
    // Only the service was named: where one of its words names a check too, that one is meant.
    if (rest.length > 0 || matching.length === 0) return matching;
    const closer = matching.filter((check) => words.some((word) => about(check).has(word)));
    return closer.length > 0 ? closer : matching;
  });
}

const mentions = (symptom: Expression, service: string): boolean =>
  symptom.reads.includes('service') && (symptom.text.includes(`"${service}"`) || symptom.text.includes(`'${service}'`));

/** Words in small letters, a plural without its s, a number at the end dropped: `Workers`, `worker_3` are `worker`. */
const tokens = (text: string): string[] =>
  text
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((word) => word.replace(/\d+$/, ''))
    .map((word) => (word.length > 3 && /[^su]s$/.test(word) && !FILLERS.has(word) ? word.slice(0, -1) : word))
    .filter((word) => word !== '');
