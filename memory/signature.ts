import type { Facts, Incident } from '../src/incidents/incident.ts';
import { maskChanging } from '../src/runbooks/mask.ts';

/** Bodies and summaries beyond this tell no more. */
const WORDS = 160;

/**
 * What makes two incidents the same: the service, which of its checks fail and how, and the cause as it is measured now
 * (its process, how it ended, what it says). The same fault gives the same signature, for times, numbers and ids are
 * masked; a different one does not. It reads as text, so that a person can see why two were taken for one.
 */
export function signatureOf(incident: Incident, facts: Facts): string {
  const failing = failingOf(incident, facts);
  const parts = [
    incident.service,
    failing.map(({ name, reason }) => `${name}:${reason}`).join(','),
    processOf(facts),
    said(incident, facts, failing),
  ];
  return parts.filter((part) => part !== '').join(' | ');
}

interface Failing {
  name: string;
  reason: string;
}

/** The service's own failing checks as measured now; what fails above it is a symptom, and differs with the moment. */
function failingOf(incident: Incident, facts: Facts): Failing[] {
  const own = Object.entries(facts).flatMap(([fact, verdict]) => {
    const name = /^check_([a-z0-9_]+)_verdict$/.exec(fact)?.[1];
    return name && isBad(verdict) ? [{ name, reason: reasonOf(facts[`check_${name}_reason`], verdict) }] : [];
  });
  const found = own.length > 0 ? own : fromIncident(incident);
  return found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Without facts of the service's own checks, the incident's checks tell, wherever they are. */
const fromIncident = (incident: Incident): Failing[] =>
  Object.values(incident.checks)
    .filter((result) => isBad(result.verdict))
    .map((result) => ({ name: result.check, reason: reasonOf(result.reason, result.verdict) }));

const isBad = (verdict: unknown): boolean => verdict === 'warn' || verdict === 'critical';

/** Warn or critical is how far a value has got, not what is wrong: the reason alone counts where there is one. */
const reasonOf = (reason: unknown, verdict: unknown): string =>
  typeof reason === 'string' && reason !== '' && reason !== 'none' ? reason : String(verdict);

/** How its process is, and how it ended where that is what is wrong. */
function processOf(facts: Facts): string {
  const status = facts.process_status;
  if (typeof status !== 'string') return '';
  if (status !== 'dead') return facts.restarts_climbing === true ? `${status}, restarting` : status;
  const signal = facts.exit_signal !== undefined && facts.exit_signal !== 'none' ? ` ${String(facts.exit_signal)}` : '';
  const code = signal === '' && facts.exit_code !== undefined ? ` exit ${String(facts.exit_code)}` : '';
  const causes = Object.keys(facts).filter((name) => name.startsWith('log_has_') && facts[name] === true);
  // What a dead process has logged is how it died; a living one's log may still speak of something long over.
  return [`dead${signal}${code}`, ...causes.sort()].join(' ');
}

/** What the service itself says is wrong: its body before the check's words, and its log where both say nothing. */
function said(incident: Incident, facts: Facts, failing: Failing[]): string {
  for (const { name } of failing) {
    const body = facts[`check_${name}_body`];
    if (typeof body === 'string' && /[a-z]{3}/i.test(body)) return maskChanging(body, WORDS);
  }
  if (facts.process_status === 'dead' || facts.process_status === 'paused') return '';
  const own = Object.values(incident.checks).filter(
    (result) => result.service === incident.service && isBad(result.verdict),
  );
  const telling = own
    .filter(
      (result) =>
        result.kind === 'command' ||
        result.kind === 'container' ||
        result.kind === 'redis' ||
        result.kind === 'postgres',
    )
    .sort((a, b) => (a.check < b.check ? -1 : 1));
  const summary = telling[0]?.summary;
  if (summary !== undefined) return maskChanging(summary, WORDS);
  return failing.some(({ reason }) => reason.startsWith('status')) && typeof facts.log_error === 'string'
    ? facts.log_error.slice(0, WORDS)
    : '';
}
