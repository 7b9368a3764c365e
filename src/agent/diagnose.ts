import { signatureOf } from '../../memory/signature.ts';
import { messageOf } from '../base/outcome.ts';
import { showsTrouble } from '../incidents/correlate.ts';
import type { Diagnosis, Evidence, Facts, Incident } from '../incidents/incident.ts';
import { gatherFacts } from '../runbooks/facts.ts';
import { diagnosisFrom, findRunbook } from '../runbooks/match.ts';
import { byOf } from './act.ts';
import { askModel } from './ask-model.ts';
import { isTroubled, withLatest } from './condition.ts';
import type { AgentParts } from './parts.ts';
import { scopeOf } from './scope.ts';

/** A runbook or a memory that did not help twice in one incident is not asked a third time. */
const TRIES = 2;

/**
 * Works out what is wrong, cheap before dear: a runbook whose symptoms hold now, then a past incident with the same
 * signature whose fix held, then the model. Each step, taken or not, says why in the timeline.
 */
export async function diagnose(parts: AgentParts, incident: Incident, signal: AbortSignal): Promise<Diagnosis> {
  const context = parts.toolContext(scopeOf(parts, incident), signal);
  const { facts, evidence } = await gatherFacts({ incident, context });
  // Measuring took time, in which other checks may have joined it.
  const stored = parts.store.incidents.get(incident.id) ?? incident;
  const now = withLatest(parts, stored);
  if (!isTroubled(now) || isTakenOver(stored)) return healed(now, evidence);
  const signature = signatureOf(now, facts);
  const gathered = parts.record(
    incident.id,
    { type: 'facts', text: factsInWords(facts), data: { facts, evidence, signature } },
    { state: 'diagnosing', signature, checks: now.checks },
  );
  const diagnosis =
    (await fromRunbook(parts, gathered, facts, evidence)) ??
    fromMemory(parts, gathered, signature, evidence) ??
    (await fromModel(parts, gathered, facts, evidence, signal)) ??
    nothingFound(parts, gathered, evidence);
  parts.record(incident.id, { type: 'diagnosis', text: diagnosis.rootCause, data: { diagnosis } }, { diagnosis });
  return diagnosis;
}

/** A person has said meanwhile that it is over: that is to be proved, not diagnosed. */
export const isTakenOver = ({ state }: Pick<Incident, 'state'>): boolean => state === 'holding' || state === 'resolved';

async function fromRunbook(
  parts: AgentParts,
  incident: Incident,
  facts: Facts,
  evidence: Evidence[],
): Promise<Diagnosis | null> {
  const usable = parts.runbooks.filter(
    (runbook) => timesNotHeld(parts, incident, byOf({ source: 'runbook', sourceName: runbook.name })) < TRIES,
  );
  const match = findRunbook(usable, facts);
  if (!match) return null;
  const diagnosis = diagnosisFrom(match.runbook, facts, evidence, { now: parts.clock.now(), config: parts.config });
  parts.record(incident.id, {
    type: 'plan',
    text: `runbook ${match.runbook.name}: ${match.runbook.symptoms.map((symptom) => symptom.text).join(' and ')}`,
    data: { source: 'runbook', name: match.runbook.name },
  });
  return diagnosis;
}

function fromMemory(parts: AgentParts, incident: Incident, signature: string, evidence: Evidence[]): Diagnosis | null {
  const recalled = parts.memory.recall(signature);
  if (!recalled) return null;
  const by = `memory #${recalled.case.incident}`;
  if (timesNotHeld(parts, incident, by) >= 1) return null;
  parts.record(incident.id, {
    type: 'plan',
    text: `${by}: ${recalled.why}`,
    data: { source: 'memory', case: recalled.case },
  });
  return {
    cause: recalled.case.cause,
    object: recalled.case.service,
    rootCause: `the same signature as #${recalled.case.incident}, which ended by: ${recalled.case.resolution}`,
    confidence: 0.8,
    evidence,
    notChecked: [],
    source: 'memory',
    sourceName: `#${recalled.case.incident}`,
    plan: recalled.case.actions.map((action) => ({
      kind: 'action' as const,
      action: {
        ...action,
        reason: `it held in #${recalled.case.incident} (${recalled.case.held} of ${recalled.case.held + recalled.case.failed})`,
      },
    })),
    advice: null,
  };
}

async function fromModel(
  parts: AgentParts,
  incident: Incident,
  facts: Facts,
  evidence: Evidence[],
  signal: AbortSignal,
): Promise<Diagnosis | null> {
  if (!parts.model) {
    parts.record(incident.id, { type: 'model', text: 'no runbook and no memory fits, and no model is configured' });
    return null;
  }
  try {
    return await askModel(parts, incident, facts, evidence, signal);
  } catch (error) {
    parts.record(incident.id, { type: 'model', text: `the model could not be asked: ${messageOf(error)}` });
    return null;
  }
}

/** It passed while it was looked at: nothing is to be done, and nothing to be learned from what was seen. */
const healed = (incident: Incident, evidence: Evidence[]): Diagnosis => ({
  cause: 'no-fault',
  object: incident.service,
  rootCause: 'its checks pass again',
  confidence: 0.5,
  evidence,
  notChecked: [],
  source: 'none',
  sourceName: null,
  plan: [],
  advice: null,
});

/** The evidence is not enough: what was gathered is handed over as it is. */
function nothingFound(parts: AgentParts, incident: Incident, evidence: Evidence[]): Diagnosis {
  const failing = Object.values(incident.checks).filter(showsTrouble);
  return {
    cause: 'unknown',
    object: incident.service,
    rootCause: `not known: no runbook${parts.model ? ', memory or model' : ' or memory'} explains ${failing.map((result) => `${result.check} (${result.summary})`).join(', ')}`,
    confidence: 0,
    evidence,
    notChecked: [],
    source: 'none',
    sourceName: null,
    plan: [],
    advice: `look at ${incident.service} and tell what helped: nightshift resolve ${incident.id} --by "restart ${incident.service}"`,
  };
}

/** How often in this incident what came from there was carried out and did not help. */
const timesNotHeld = (parts: AgentParts, incident: Incident, by: string): number =>
  parts.store.incidents
    .timeline(incident.id)
    .filter((entry) => entry.type === 'not-held' && Array.isArray(entry.data.by) && entry.data.by.includes(by)).length;

function factsInWords(facts: Facts): string {
  const telling = [
    'process_status',
    'exit_signal',
    'http_status',
    'http_reason',
    'port_holder',
    'config_changed',
    'config_valid',
    'release_changed',
    'dependency_failing',
  ];
  const shown = telling
    .filter((name) => facts[name] !== undefined && facts[name] !== null)
    .map((name) => `${name} ${String(facts[name])}`);
  return `${Object.keys(facts).length} facts measured${shown.length > 0 ? `: ${shown.join(', ')}` : ''}`;
}
