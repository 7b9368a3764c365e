import type { Scalar } from '../base/scalar.ts';
import type { Config } from '../config/schema.ts';
import type { Diagnosis, Evidence, Facts, PlanStep } from '../incidents/incident.ts';
import { fillSentence } from './placeholders.ts';
import type { Expression, Runbook } from './runbook.ts';
import { ALL_CHECKS } from './verify-words.ts';

/** What one expression came to, and on which facts. */
interface Finding {
  text: string;
  result: boolean | 'unknown';
  facts: Record<string, Scalar | undefined>;
}

/** Why a runbook fits, or why not: for `fix --dry-run` and the timeline. */
interface Explanation {
  runbook: Runbook;
  fits: boolean;
  symptoms: Finding[];
  /** Those that refute it. */
  refuted: Finding[];
  /** In a sentence: `http_status >= 500 is not so (200)`. */
  why: string;
}

/**
 * Holds a runbook's expressions against the facts. It fits when every symptom is true and no refutation is; a symptom
 * that could not be measured is not true, a refutation that could not be measured does not refute.
 */
export function explain(runbook: Runbook, facts: Facts): Explanation {
  const find = (expression: Expression): Finding => ({
    text: expression.text,
    result: expression.evaluate(facts),
    facts: Object.fromEntries(expression.reads.map((name) => [name, facts[name]])),
  });
  const symptoms = runbook.symptoms.map(find);
  const refuted = runbook.unless.map(find).filter((finding) => finding.result === true);
  const missing = symptoms.filter((finding) => finding.result !== true);
  return {
    runbook,
    fits: missing.length === 0 && refuted.length === 0,
    symptoms,
    refuted,
    why: reasonOf(symptoms, missing, refuted),
  };
}

function reasonOf(symptoms: Finding[], missing: Finding[], refuted: Finding[]): string {
  const values = (finding: Finding) =>
    Object.entries(finding.facts)
      .filter(
        ([name, value]) =>
          value !== undefined && value !== null && !finding.text.includes(`${name} == ${JSON.stringify(value)}`),
      )
      .map(([name, value]) => `${name} ${String(value)}`)
      .join(', ');
  const bracket = (finding: Finding) => (values(finding) === '' ? '' : ` (${values(finding)})`);
  if (refuted.length > 0) return `ruled out by ${refuted.map((each) => `${each.text}${bracket(each)}`).join('; ')}`;
  if (missing.length > 0) {
    return missing
      .map((each) =>
        each.result === 'unknown' ? `${each.text} is not known` : `${each.text} is not so${bracket(each)}`,
      )
      .join('; ');
  }
  return symptoms.map((each) => `${each.text}${bracket(each)}`).join('; ');
}

/** The runbook that fits best: the highest priority, then the most symptoms, then a person's before a shipped one. */
export function findRunbook(runbooks: readonly Runbook[], facts: Facts): Explanation | null {
  const fitting = runbooks.map((runbook) => explain(runbook, facts)).filter((each) => each.fits);
  fitting.sort(
    (a, b) =>
      b.runbook.priority - a.runbook.priority ||
      b.runbook.symptoms.length - a.runbook.symptoms.length ||
      Number(a.runbook.shipped) - Number(b.runbook.shipped) ||
      a.runbook.name.localeCompare(b.runbook.name),
  );
  return fitting[0] ?? null;
}

/** Time and inventory a diagnosis is made in. */
interface DiagnosisContext {
  now: number;
  config: Pick<Config, 'services'>;
}

/** What a fitting runbook says, with this incident's names in its steps. */
export function diagnosisFrom(
  runbook: Runbook,
  facts: Facts,
  evidence: readonly Evidence[],
  context: DiagnosisContext,
): Diagnosis {
  const explanation = explain(runbook, facts);
  const read = new Set(runbook.symptoms.flatMap((symptom) => symptom.reads));
  const service = typeof facts.service === 'string' ? facts.service : '';
  const unmeasured = runbook.unless.filter((each) => each.evaluate(facts) === 'unknown');
  const waitUntil = runbook.leaveAlone ? startsUntil(service, facts, context) : undefined;
  return {
    cause: runbook.cause,
    object: objectOf(runbook, facts, service),
    rootCause: fillSentence(runbook.because, facts),
    // Every symptom was measured and holds. More of them, and nothing left open that could refute it, make it surer.
    confidence: Math.min(0.95, 0.8 + 0.05 * explanation.symptoms.length) - Math.min(0.1, 0.02 * unmeasured.length),
    evidence: relevant(evidence, read),
    notChecked: unmeasured.map((each) => `whether ${each.text}`),
    source: 'runbook',
    sourceName: runbook.name,
    plan: runbook.steps.map((step) => expand(step, runbook, facts, service, context)),
    advice: runbook.advice === null ? null : fillSentence(runbook.advice, facts),
    ...(waitUntil === undefined ? {} : { waitUntil }),
  };
}

/** The service its first action is about (for the heaviest service that is not the one that showed), else the incident's. */
function objectOf(runbook: Runbook, facts: Facts, service: string): string {
  const first = runbook.steps.find((step) => step.kind === 'action');
  const named = first?.kind === 'action' ? first.action.arguments.service : undefined;
  return typeof named === 'string' ? fillSentence(named, facts) : service;
}

/** Evidence tells by its `facts` which it is for; when none does, all of it is shown. */
function relevant(evidence: readonly Evidence[], read: ReadonlySet<string>): Evidence[] {
  const about = evidence.filter((each) => each.facts?.some((name) => read.has(name)));
  return about.length > 0 ? about : [...evidence];
}

function startsUntil(service: string, facts: Facts, { now, config }: DiagnosisContext): number {
  const limit = config.services.get(service)?.starts_within ?? 30_000;
  return now - (typeof facts.uptime === 'number' ? facts.uptime : 0) + limit;
}

function expand(
  step: Runbook['steps'][number],
  runbook: Runbook,
  facts: Facts,
  service: string,
  context: DiagnosisContext,
): PlanStep {
  switch (step.kind) {
    case 'command':
      // Its placeholders are filled by the tool itself, from the inventory.
      return {
        kind: 'action',
        action: { tool: 'runbook_command', arguments: { id: step.command.id, service }, reason: runbook.name },
      };
    case 'action': {
      const { tool, arguments: args, reason } = step.action;
      const filled = Object.entries(args).map(([name, value]) => [
        name,
        typeof value === 'string' ? fillSentence(value, facts) : value,
      ]);
      return {
        kind: 'action',
        action: { tool, arguments: Object.fromEntries(filled), reason: fillSentence(reason || runbook.because, facts) },
      };
    }
    case 'verify':
      return { kind: 'verify', checks: checksOf(step.checks, service, context) };
    default:
      return step;
  }
}

/** A runbook for seven workers verifies the one that this incident is about. */
function checksOf(checks: string[], service: string, { config }: DiagnosisContext): string[] {
  const own = config.services.get(service)?.checks.map((check) => check.key) ?? [];
  const all = checks.flatMap((check) => (check === ALL_CHECKS ? own : [check.replace('{service}', service)]));
  const ofService = all.filter((check) => own.includes(check));
  return ofService.length > 0 ? ofService : all;
}
