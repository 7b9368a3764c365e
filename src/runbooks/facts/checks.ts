import type { CheckResult } from '../../health/check.ts';
import { factWord } from '../fact-names.ts';
import { type Collector, type FactSource, isFailing } from './collect.ts';

/** What the service's own checks say, by name and by kind. */
export const checkFacts: FactSource = async (context, collect) => {
  const results = await context.results;
  const failing = results.filter(isFailing);
  collect.set({
    failing_checks: failing.length,
    unresponsive:
      results.length > 0
        ? failing.some((result) => ASKED.has(result.kind) && result.reason === 'timed-out')
        : undefined,
    failing_kind: [...new Set(failing.map((result) => result.kind))].sort().join(' '),
    host_unreachable: results.length > 0 ? results.some((result) => result.reason === 'host-unreachable') : undefined,
  });
  // Those that pass come first, so that what fails has the last word where several tell of one fact.
  for (const result of [...results].sort((a, b) => Number(isFailing(a)) - Number(isFailing(b)))) {
    named(result, collect);
    byKind(result, collect);
  }
  for (const result of [...failing, ...results.filter((each) => each.verdict === 'unknown')]) {
    const word = factWord(nameOf(result));
    const rests = [
      ...(kindFacts[result.kind] ?? []),
      `check_${word}_verdict`,
      `check_${word}_reason`,
      'failing_checks',
      'failing_kind',
    ];
    collect.quote(`check:${result.check}`, `${result.check} (${result.kind})`, result.summary, rests);
  }
};

/** Kinds whose answer the service itself must give. */
const ASKED = new Set<CheckResult['kind']>(['http', 'redis', 'postgres', 'ollama']);

const nameOf = (result: CheckResult): string => result.check.slice(result.check.indexOf('/') + 1);

/** `check_http_verdict`, `check_http_reason`, `check_http_value`, and what else the check knows, `check_http_body`. */
function named(result: CheckResult, collect: Collector): void {
  const word = `check_${factWord(nameOf(result))}`;
  collect.set(
    Object.fromEntries(Object.entries(result.facts ?? {}).map(([name, value]) => [`${word}_${factWord(name)}`, value])),
  );
  collect.set({
    [`${word}_verdict`]: result.verdict,
    [`${word}_reason`]: result.reason ?? 'none',
    [`${word}_value`]: result.value,
  });
}

/** Facts that rest on a kind of check, for the evidence. */
const kindFacts: Partial<Record<CheckResult['kind'], string[]>> = {
  http: ['unresponsive', 'http_status', 'http_reason', 'tcp_open', 'latency', 'certificate_days'],
  tcp: ['tcp_open', 'latency'],
  disk: ['disk_usage', 'inode_usage', 'disk_path'],
  memory: ['memory_usage', 'machine_memory_usage'],
  cpu: ['cpu_usage'],
  heartbeat: ['last_heartbeat'],
  certificate: ['certificate_days'],
  redis: ['unresponsive', 'redis_cannot_persist', 'recovering', 'latency'],
  postgres: ['unresponsive', 'connection_slots_exhausted', 'recovering', 'latency'],
  file_size: ['log_over_limit', 'log_size'],
  container: ['manager_health', 'process_status'],
  unit: ['process_status'],
  process: ['process_status'],
};

function byKind(result: CheckResult, collect: Collector): void {
  const { facts = {}, reason } = result;
  switch (result.kind) {
    case 'http':
      collect.set({
        http_status: facts.status,
        http_reason: reason ?? 'ok',
        tcp_open: facts.status === undefined ? (reason === 'refused' ? false : undefined) : true,
        latency: facts.latency_ms,
        certificate_days: reason === 'tls-expired' && facts.certificate_days === undefined ? 0 : facts.certificate_days,
      });
      break;
    case 'tcp':
      collect.set({ tcp_open: opens(result), latency: facts.latency_ms });
      break;
    case 'heartbeat':
      collect.set({ last_heartbeat: typeof facts.age_seconds === 'number' ? facts.age_seconds * 1000 : undefined });
      break;
    case 'certificate':
      collect.set({ certificate_days: facts.days_left });
      break;
    case 'redis':
      collect.set(prefixed('redis', facts));
      collect.set({
        latency: facts.latency_ms,
        recovering: reason === 'loading',
        redis_cannot_persist:
          reason === 'misconf' || facts.rdb_last_bgsave_status === 'err' || facts.aof_last_write_status === 'err',
      });
      break;
    case 'postgres':
      collect.set(prefixed('postgres', facts));
      collect.set({
        latency: facts.latency_ms,
        recovering: reason === 'starting-up',
        connection_slots_exhausted: reason === 'too-many-connections',
      });
      break;
    case 'process':
    case 'container':
    case 'unit':
      collect.set({ out_of_memory: facts.out_of_memory === true ? true : undefined });
      break;
    default:
      resourceFacts(result, collect);
  }
}

/** Memory and processor, whosever check measured them. */
export function resourceFacts(result: CheckResult, collect: Collector, prefix = ''): void {
  const used = result.facts?.used_percent;
  if (result.kind === 'memory') collect.set({ [`${prefix}memory_usage`]: used });
  if (result.kind === 'cpu') collect.set({ [`${prefix}cpu_usage`]: used });
}

function opens(result: CheckResult): boolean | undefined {
  if (result.verdict === 'ok' || result.reason === 'slow') return true;
  return result.reason === 'refused' || result.reason === 'timed-out' ? false : undefined;
}

const prefixed = (prefix: string, facts: NonNullable<CheckResult['facts']>) =>
  Object.fromEntries(Object.entries(facts).map(([name, value]) => [`${prefix}_${factWord(name)}`, value]));
