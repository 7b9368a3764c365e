import { machineName } from '../config/schema.ts';
import type { HealthReport } from '../health/check.ts';
import type { EscalationMessage } from '../incidents/escalation.ts';
import type { ActionResult, Diagnosis, EscalationDecision, Incident, Resolution } from '../incidents/incident.ts';
import { incidentReport } from '../incidents/report.ts';
import type { AttemptOptions } from './act.ts';
import { attempt } from './attempt.ts';
import { diagnose } from './diagnose.ts';
import type { AgentParts } from './parts.ts';

const HOUR = 3_600_000;

/** Watches services, works out what is wrong, fixes what is safe to fix, and tells a person what only a person must decide. */
export class OpsAgent {
  readonly #parts: AgentParts;

  constructor(parts: AgentParts) {
    this.#parts = parts;
  }

  /** Runs every check once, now, and keeps the results. */
  async monitorAllServices(): Promise<HealthReport> {
    const report = await this.#parts.monitor.all();
    this.#parts.ingest(report.results);
    return report;
  }

  /** Finds the cause, cheap before dear: runbook, then memory, then the model. It changes nothing but the record. */
  async diagnose(incident: Incident, signal: AbortSignal = new AbortController().signal): Promise<Diagnosis> {
    return diagnose(this.#parts, incident, signal);
  }

  /** Carries out the plan through the guard. `acted` says that it ran, not that it helped: that is measured afterwards. */
  async attemptResolve(
    incident: Incident,
    diagnosis: Diagnosis,
    options?: Partial<AttemptOptions>,
  ): Promise<ActionResult> {
    return attempt(this.#parts, incident, diagnosis, { signal: new AbortController().signal, ...options });
  }

  /** Whether a person must hear of it now, and why. Each incident is handed over once. */
  shouldEscalate(incident: Incident, tried?: ActionResult): EscalationDecision {
    if (incident.escalatedAt !== null) return { escalate: false, reason: 'a person was told already' };
    if (incident.severity === 'emergency') return { escalate: true, reason: 'an emergency is always told' };
    if (incident.service === machineName(this.#hostOf(incident)) && incident.diagnosis?.plan.length === 0) {
      return { escalate: true, reason: 'it is about the machine itself, and nothing can be done by itself' };
    }
    const since = this.#parts.clock.now() - HOUR;
    const failed = this.#parts.store.incidents
      .timeline(incident.id)
      .filter((entry) => entry.type === 'not-held' && entry.at > since);
    if (failed.length >= 3) return { escalate: true, reason: 'the third time within an hour that it did not hold' };
    switch (tried?.outcome) {
      case 'refused':
      case 'failed':
        return { escalate: true, reason: tried.summary };
      case 'nothing-to-do':
        return {
          escalate: true,
          reason: incident.diagnosis?.source === 'none' ? 'the evidence is not enough to act on' : tried.summary,
        };
      case 'acted':
      case 'asked':
      case undefined:
        return { escalate: false, reason: 'it is being dealt with' };
    }
  }

  /**
   * Hands the incident to a person with all that was gathered: in the store, on the terminal, through the webhook. Once:
   * whoever was told already is not told again, the incident only goes back to waiting for them.
   */
  async escalate(incident: Incident, reason: string): Promise<void> {
    const { clock, store, outbox } = this.#parts;
    const now = store.incidents.get(incident.id);
    if (now === null || now.state === 'resolved') return;
    if (now.escalatedAt !== null) {
      this.#parts.record(incident.id, { type: 'note', text: `still with a person: ${reason}` }, { state: 'escalated' });
      return;
    }
    this.#together(() => {
      const escalated = this.#parts.record(
        incident.id,
        { type: 'escalated', text: reason, data: { advice: adviceFor(now) } },
        { state: 'escalated', escalatedAt: clock.now() },
      );
      outbox.put(this.#message(escalated, reason));
    });
    await outbox.flush();
  }

  /** Closes an incident that held, and remembers what helped under its signature. */
  async learnFromResolution(incident: Incident, resolution: Resolution): Promise<void> {
    const { clock, store, memory } = this.#parts;
    this.#together(() => {
      const teaches = resolution.by === 'person' || resolution.actions.length > 0;
      const learned = teaches ? memory.learn(incident, resolution) : null;
      if (learned) this.#parts.record(incident.id, { type: 'learned', text: learned });
      // A yes that comes when it is over would be for nothing.
      store.approvals.withdraw?.(incident.id);
      this.#parts.record(
        incident.id,
        { type: 'resolved', text: resolution.summary, data: { by: resolution.by } },
        { state: 'resolved', resolvedAt: clock.now(), resolvedBy: resolution.by, resolution: resolution.summary },
      );
    });
  }

  #message(incident: Incident, reason: string): EscalationMessage {
    const { clock, store, redact } = this.#parts;
    const actions = store.actions.of(incident.id);
    const done = actions.map((action) => `${action.tool}: ${action.state}`).join('; ');
    return {
      incident: incident.id,
      severity: incident.severity,
      title: redact(incident.title),
      reason: redact(reason),
      action_taken: redact(done) || 'none',
      what_to_do: redact(adviceFor(incident)),
      at: new Date(clock.now()).toISOString(),
      report: incidentReport(incident, store.incidents.timeline(incident.id), actions),
    };
  }

  /** All of it is kept, or none: being killed in between loses no message and tells none twice. */
  #together(work: () => void): void {
    const { store } = this.#parts;
    if (store.transaction) store.transaction(work);
    else work();
  }

  #hostOf(incident: Incident): string {
    return this.#parts.config.services.get(incident.service)?.host ?? 'local';
  }
}

const adviceFor = (incident: Incident): string => incident.diagnosis?.advice ?? `nightshift show ${incident.id}`;
