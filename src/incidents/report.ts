import { actionTitle } from './action-title.ts';
import type { ActionRecord, Diagnosis, Incident, TimelineEntry } from './incident.ts';
import { preventionFor } from './prevention.ts';

/** One incident as programs take it. Times are ISO 8601 in UTC, durations in seconds; what is not known is null. */
export interface IncidentReport {
  incident_id: number;
  state: Incident['state'];
  severity: Incident['severity'];
  title: string;
  service: string;
  opened_at: string;
  /** When the first failing result was measured. */
  failing_since: string;
  resolved_at: string | null;
  /** From the first failing result to the resolution, or to the last entry while it is not resolved. */
  duration_seconds: number;
  root_cause: string | null;
  cause: string | null;
  object: string | null;
  /** 0 to 1. */
  confidence: number | null;
  /** What the diagnosis came from: `runbook process-down`, `memory #12`, `model NAME`. */
  diagnosed_by: string | null;
  evidence: { source: string; title: string; quote: string; verified: boolean }[];
  not_checked: string[];
  checks: { check: string; verdict: string; summary: string }[];
  actions: {
    action: string;
    tool: string;
    at: string;
    by: string;
    risk: ActionRecord['risk'];
    state: ActionRecord['state'];
    outcome: string | null;
    held: boolean | null;
    undo: string;
  }[];
  resolution: string | null;
  resolved_by: Incident['resolvedBy'];
  prevention: string | null;
  escalated: boolean;
  escalated_at: string | null;
  escalation_reason: string | null;
  /** How often a fix did not hold. */
  reopened: number;
  model_used: string | null;
  model_tokens: number;
  timeline: { at: string; type: TimelineEntry['type']; text: string }[];
}

const iso = (at: number): string => new Date(at).toISOString();
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at));

/** The report of an incident at any time of its life. Texts are as they were stored, which is redacted. */
export function incidentReport(
  incident: Incident,
  timeline: readonly TimelineEntry[],
  actions: readonly ActionRecord[],
): IncidentReport {
  const { diagnosis } = incident;
  const end = incident.resolvedAt ?? Math.max(incident.updatedAt, timeline.at(-1)?.at ?? 0);
  return {
    incident_id: incident.id,
    state: incident.state,
    severity: incident.severity,
    title: incident.title,
    service: incident.service,
    opened_at: iso(incident.openedAt),
    failing_since: iso(incident.since),
    resolved_at: isoOrNull(incident.resolvedAt),
    duration_seconds: Math.max(0, Math.round((end - incident.since) / 1000)),
    root_cause: diagnosis?.rootCause ?? null,
    cause: diagnosis?.cause ?? null,
    object: diagnosis?.object ?? null,
    confidence: diagnosis?.confidence ?? null,
    diagnosed_by: diagnosis ? diagnosedBy(diagnosis) : null,
    evidence: diagnosis?.evidence ?? [],
    not_checked: diagnosis?.notChecked ?? [],
    checks: Object.values(incident.checks).map(({ check, verdict, summary }) => ({ check, verdict, summary })),
    actions: actions.map((action) => ({
      action: actionTitle(action),
      tool: action.tool,
      at: iso(action.intendedAt),
      by: action.by,
      risk: action.risk,
      state: action.state,
      outcome: action.outcome,
      held: action.held,
      undo: action.undo,
    })),
    resolution: incident.resolution,
    resolved_by: incident.resolvedBy,
    prevention: preventionFor(diagnosis),
    escalated: incident.escalatedAt !== null,
    escalated_at: isoOrNull(incident.escalatedAt),
    escalation_reason: timeline.findLast((entry) => entry.type === 'escalated')?.text ?? null,
    reopened: incident.reopened,
    model_used: modelOf(incident, timeline),
    model_tokens: incident.modelTokens,
    timeline: timeline.map((entry) => ({ at: iso(entry.at), type: entry.type, text: entry.text })),
  };
}

function diagnosedBy(diagnosis: Diagnosis): string | null {
  if (diagnosis.source === 'none') return null;
  return diagnosis.sourceName ? `${diagnosis.source} ${diagnosis.sourceName}` : diagnosis.source;
}

/** The model that was asked, even when its answer was not what helped; null when none was. */
function modelOf(incident: Incident, timeline: readonly TimelineEntry[]): string | null {
  if (incident.diagnosis?.source === 'model') return incident.diagnosis.sourceName ?? 'a model';
  const asked = timeline.findLast((entry) => entry.type === 'model');
  if (asked === undefined) return incident.modelTokens > 0 ? 'a model' : null;
  for (const name of [asked.data.model, asked.data.provider]) if (typeof name === 'string') return name;
  return incident.modelTokens > 0 ? 'a model' : null;
}
