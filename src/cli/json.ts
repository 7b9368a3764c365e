import type { Diagnosis } from '../incidents/incident.ts';

/** A diagnosis as programs read it: the words of the incident report. */
export const diagnosisJson = (diagnosis: Diagnosis) => ({
  root_cause: diagnosis.rootCause,
  cause: diagnosis.cause,
  object: diagnosis.object,
  confidence: Math.round(diagnosis.confidence * 100) / 100,
  diagnosed_by: diagnosis.source === 'none' ? null : [diagnosis.source, diagnosis.sourceName].filter(Boolean).join(' '),
  evidence: diagnosis.evidence,
  not_checked: diagnosis.notChecked,
  plan: diagnosis.plan,
  advice: diagnosis.advice,
});
