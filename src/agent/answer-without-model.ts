import { isFailing } from '../incidents/correlate.ts';
import type { Evidence, Incident } from '../incidents/incident.ts';
import type { AskEvent } from './ask.ts';
import type { AgentParts } from './parts.ts';

const DAY = 86_400_000;

/** What status, history and runbooks can answer: how the named services are now, what happened to them, what is known of it. */
export async function* answerWithoutModel(
  parts: AgentParts,
  question: string,
  note: string,
  signal: AbortSignal,
): AsyncGenerator<AskEvent> {
  const named = namedServices(parts, question);
  const services = named.length > 0 ? named : [...parts.config.services.keys()];
  const evidence: Evidence[] = [];
  const lines: string[] = [];
  const asked = new Set(named.flatMap((name) => [name, ...parts.graph.dependencies(name)]));
  for (const name of named.length > 0 ? asked : services) {
    if (signal.aborted) break;
    yield { type: 'looking', title: `${name} status` };
    const results = await parts.monitor.measure(parts.config.services.get(name)?.checks ?? []);
    parts.ingest(results);
    const failing = results.filter(isFailing);
    const unknown = results.filter((result) => result.verdict === 'unknown');
    if (failing.length === 0 && results.length > 0) {
      const spoken = unknown.length > 0 ? `, ${unknown.length} could not be measured` : '';
      lines.push(`${name}: ${results.length - unknown.length} of ${results.length} checks pass${spoken}.`);
    } else if (results.length === 0) lines.push(`${name}: it has no checks, so how it is cannot be measured.`);
    for (const result of failing.length > 0 ? failing : results.slice(0, 1)) {
      evidence.push({ source: result.check, title: result.check, quote: parts.redact(result.summary), verified: true });
      if (isFailing(result))
        lines.push(`${name} is ${result.verdict}: ${parts.redact(result.summary)} [${evidence.length}].`);
    }
  }
  yield { type: 'looking', title: 'incidents of the last 7 days' };
  const past = parts.store.incidents
    .list({ since: parts.clock.now() - 7 * DAY, limit: 50 })
    .filter(
      (incident) =>
        named.length === 0 ||
        asked.has(incident.service) ||
        Object.values(incident.checks).some((result) => named.includes(result.service)),
    );
  for (const incident of past.slice(0, 5)) {
    evidence.push({
      source: `#${incident.id}`,
      title: `incident #${incident.id}`,
      quote: incident.title,
      verified: true,
    });
    lines.push(`${historyLine(incident)} [${evidence.length}].`);
  }
  if (past.length === 0)
    lines.push(`No incident${named.length > 0 ? ` of ${named.join(', ')}` : ''} in the last 7 days.`);
  const open = past.find((incident) => incident.state !== 'resolved');
  yield {
    type: 'answer',
    answer: {
      question,
      text: lines.join('\n'),
      evidence,
      model: null,
      note,
      notChecked: ['why: that takes a model, or nightshift fix SERVICE --dry-run'],
      next: open
        ? `nightshift show ${open.id}`
        : past[0]
          ? `nightshift show ${past[0].id}`
          : `nightshift fix ${named[0] ?? 'SERVICE'} --dry-run`,
    },
  };
}

/** Services that a question names: by their name, or by what they are (`postgres`). */
function namedServices(parts: AgentParts, question: string): string[] {
  const words = new Set(
    question
      .toLowerCase()
      .split(/[^a-z0-9._-]+/)
      .map((word) => word.replace(/[.]+$/, '')),
  );
  return [...parts.config.services.values()]
    .filter((service) => words.has(service.name.toLowerCase()) || (service.kind != null && words.has(service.kind)))
    .map((service) => service.name);
}

function historyLine(incident: Incident): string {
  const when = new Date(incident.since).toLocaleString('en-GB');
  const how =
    incident.resolvedAt === null
      ? `is ${incident.state}`
      : `was over after ${Math.round((incident.resolvedAt - incident.since) / 1000)} s (${incident.resolution ?? `by ${incident.resolvedBy}`})`;
  return `#${incident.id}, ${when}: ${incident.title}; ${incident.diagnosis && incident.diagnosis.cause !== 'unknown' ? `cause: ${incident.diagnosis.rootCause}; ` : ''}it ${how}`;
}
