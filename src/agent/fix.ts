import { actionTitle } from '../incidents/action-title.ts';
import { severityOf, showsTrouble, titleOf } from '../incidents/correlate.ts';
import type { Diagnosis, Incident, TimelineEntry } from '../incidents/incident.ts';
import { gatherFacts } from '../runbooks/facts.ts';
import { diagnosisFrom } from '../runbooks/match.ts';
import type { Runbook } from '../runbooks/runbook.ts';
import type { TimelineDraft } from '../store/store.ts';
import { waitsForPerson } from './condition.ts';
import { OpsAgent } from './ops-agent.ts';
import type { AgentParts } from './parts.ts';
import { scopeOf, suspectAmong } from './scope.ts';
import { triage } from './triage.ts';

export interface FixOptions {
  service: string;
  /** The name of a runbook, or words for the record and the model. Empty when none was given. */
  issue: string;
  dryRun: boolean;
  onTimeline: (entry: TimelineEntry) => void;
  onDiagnosis: (diagnosis: Diagnosis) => void;
}

/** What came of it. `ok` when it is well, or in a dry run when something could be done. */
export interface Fixed {
  ok: boolean;
  incident: number | null;
  diagnosis: Diagnosis | null;
  state: Incident['state'] | null;
  summary: string;
}

/** By hand what the loop would do about one service: measure, diagnose, act through the guard, prove. */
export async function fixIncident(
  given: AgentParts,
  options: FixOptions,
  claims: { claim: (incident: number) => void; release: (incident: number) => void },
): Promise<Fixed> {
  const service = given.config.services.get(options.service);
  const results = await given.monitor.measure(
    [options.service, ...given.graph.dependencies(options.service)].flatMap(
      (name) => given.config.services.get(name)?.checks ?? [],
    ),
  );
  given.ingest(results);
  const failing = results.filter(showsTrouble);
  const runbook = given.runbooks.find((each) => each.name.toLowerCase() === options.issue.toLowerCase());
  if (failing.length === 0 && !runbook) {
    const checks = service?.checks.length ?? 0;
    const summary =
      checks === 0
        ? `${options.service} has no checks, so nothing can be proved; name a runbook: nightshift runbooks`
        : `all of its checks pass: there is nothing to fix`;
    return { ok: checks > 0, incident: null, diagnosis: null, state: null, summary };
  }
  const known = given.store.incidents
    .unresolved()
    .find(
      (incident) => incident.service === options.service || failing.some((result) => result.check in incident.checks),
    );
  const parts = options.dryRun ? dry(given) : given;
  parts.listen(options.onTimeline);
  const draft = draftOf(parts, options.service, failing.length > 0 ? failing : results);
  // Opened and claimed as one: a running watch must not take it up in between.
  const incident = together(given, () => {
    const found =
      known && !options.dryRun ? known : parts.open(draft, { type: 'opened', text: `${draft.title} (nightshift fix)` });
    if (!options.dryRun) claims.claim(found.id);
    return found;
  });
  try {
    if (options.issue && !runbook)
      parts.record(incident.id, { type: 'note', text: `a person says: ${options.issue}`, data: { by: 'person' } });
    if (incident === known) {
      // Who asks here knows of it: it is taken up again, and nobody is told a second time.
      const change = waitsForPerson(known) ? { state: 'open' as const } : {};
      parts.record(incident.id, { type: 'note', text: 'a person asks to fix it now' }, change);
    }
    const agent = new HandAgent(parts, options, runbook ? () => chosenDiagnosis(parts, incident, runbook) : null);
    if (options.dryRun) {
      const diagnosis = await agent.diagnose(incident);
      const steps = diagnosis.plan.flatMap((step) => (step.kind === 'action' ? [actionTitle(step.action)] : []));
      return {
        ok: steps.length > 0,
        incident: null,
        diagnosis,
        state: null,
        summary:
          steps.length > 0
            ? `a dry run: nothing was done. It would ${steps.join(', then ')}`
            : 'a dry run: there is nothing that it could do by itself',
      };
    }
    await triage(agent, parts, incident.id, new AbortController().signal, { asked: true });
    const after = parts.store.incidents.get(incident.id) ?? incident;
    const summary =
      after.state === 'resolved'
        ? `#${after.id} resolved: ${after.resolution}`
        : after.state === 'awaiting'
          ? `#${after.id} waits for your approval: nightshift approvals`
          : `#${after.id} is ${after.state}: nightshift show ${after.id}`;
    return {
      ok: after.state === 'resolved',
      incident: after.id,
      diagnosis: after.diagnosis,
      state: after.state,
      summary,
    };
  } finally {
    if (!options.dryRun) claims.release(incident.id);
  }
}

/** What the runbook that a person named says, whether its symptoms show or not. */
async function chosenDiagnosis(parts: AgentParts, incident: Incident, runbook: Runbook): Promise<Diagnosis> {
  const context = parts.toolContext(scopeOf(parts, incident), new AbortController().signal);
  const { facts, evidence } = await gatherFacts({ incident, context });
  const diagnosis = diagnosisFrom(runbook, facts, evidence, { now: parts.clock.now(), config: parts.config });
  const text = `${diagnosis.rootCause} (a person named runbook ${runbook.name})`;
  parts.record(incident.id, { type: 'diagnosis', text, data: { diagnosis } }, { state: 'diagnosing', diagnosis });
  return diagnosis;
}

const together = <Value>(parts: AgentParts, work: () => Value): Value =>
  parts.store.transaction ? parts.store.transaction(work) : work();

/** The agent with a person at its side: it tells its diagnosis, and acts because it was asked to. */
class HandAgent extends OpsAgent {
  readonly #options: FixOptions;
  /** What a person chose, once: if it does not help, the evidence decides. */
  #chosen: (() => Promise<Diagnosis>) | null;

  constructor(parts: AgentParts, options: FixOptions, chosen: (() => Promise<Diagnosis>) | null) {
    super(parts);
    this.#options = options;
    this.#chosen = chosen;
  }

  override async diagnose(incident: Incident, signal?: AbortSignal): Promise<Diagnosis> {
    const chosen = this.#chosen;
    this.#chosen = null;
    const diagnosis = chosen ? await chosen() : await super.diagnose(incident, signal);
    this.#options.onDiagnosis(diagnosis);
    return diagnosis;
  }

  override attemptResolve(...[incident, diagnosis, options]: Parameters<OpsAgent['attemptResolve']>) {
    return super.attemptResolve(incident, diagnosis, { ...options, byHand: true });
  }
}

function draftOf(parts: AgentParts, service: string, results: Incident['checks'][string][]): Omit<Incident, 'id'> {
  const now = parts.clock.now();
  const checks = Object.fromEntries(results.map((result) => [result.check, result]));
  const draft: Omit<Incident, 'id'> = {
    state: 'open',
    severity: severityOf(results),
    service,
    title: titleOf(service, results),
    checks,
    openedAt: now,
    since: now,
    updatedAt: now,
    resolvedAt: null,
    resolvedBy: null,
    resolution: null,
    diagnosis: null,
    signature: null,
    holdingSince: null,
    reopened: 0,
    escalatedAt: null,
    modelTokens: 0,
  };
  const suspect = suspectAmong(parts, { ...draft, id: 0 });
  return { ...draft, service: suspect, title: titleOf(suspect, results) };
}

/** The same parts, but the record is kept in memory only: a dry run leaves no trace. */
function dry(parts: AgentParts): AgentParts {
  let current: Incident | null = null;
  const listeners: Parameters<AgentParts['listen']>[0][] = [];
  const tell = (entry: TimelineDraft) => {
    if (!current) return;
    for (const listener of listeners)
      listener({ id: 0, incident: 0, at: parts.clock.now(), data: {}, ...entry }, current);
  };
  return {
    ...parts,
    open: (draft, entry) => {
      current = { ...draft, id: 0 };
      tell(entry);
      return current;
    },
    record: (_incident, entry, change) => {
      if (!current) throw new Error('a dry run has no other incident');
      current = { ...current, ...change };
      tell(entry);
      return current;
    },
    listen: (listener) => void listeners.push(listener),
  };
}
