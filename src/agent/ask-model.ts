import { randomUUID } from 'node:crypto';
import type { ToolContext } from '../../tools/tool.ts';
import { formatSpan } from '../health/format.ts';
import { actionTitle } from '../incidents/action-title.ts';
import { isFailing } from '../incidents/correlate.ts';
import type { Diagnosis, Evidence, Facts, Incident, ProposedAction } from '../incidents/incident.ts';
import { chooseTools, describeInventory, wordsOf } from './choose-tools.ts';
import type { ResultRecord } from './evidence.ts';
import { createFence } from './fence.ts';
import { runAgent } from './loop.ts';
import type { AgentParts } from './parts.ts';
import { loadPrompt } from './prompt.ts';
import { scopeOf } from './scope.ts';
import { createToolbox } from './toolbox.ts';

const ACTING = `You may propose actions by calling the acting tools. Nothing runs at once: a proposal is noted, and after your answer it is carried out in the order you gave, checked by a guard, and then the host is measured. Propose only what the evidence supports and what repairs the cause, the least that is enough. Propose nothing when you do not know.`;

/** Asks the model in the agent loop. Null when it gave no usable answer; why stands in the timeline. */
export async function askModel(
  parts: AgentParts,
  incident: Incident,
  facts: Facts,
  evidence: Evidence[],
  signal: AbortSignal,
): Promise<Diagnosis | null> {
  if (parts.model === null) return null;
  const { config } = parts;
  const scope = scopeOf(parts, incident);
  const context = parts.toolContext(scope, signal);
  const fence = createFence();
  const given = recordsOf([...evidence, ...around(incident, scope.services, context)]);
  const proposals: ProposedAction[] = [];
  const toolbox = createToolbox({
    tools: chooseTools(parts.tools, config, scope, wordsOf(incident)),
    context,
    redact: parts.redact,
    // Arguments were checked by the tool's schema; what the tool says of the present state comes before anything is noted.
    act: async (tool, args) => {
      const planned = await tool.plan?.(args, context);
      if (!planned || 'refusal' in planned)
        return { ok: false, content: `refused: ${planned?.refusal ?? 'it cannot act'}` };
      proposals.push({ tool: tool.name, arguments: args, reason: '' });
      return {
        ok: true,
        content: `noted as step ${proposals.length}: ${planned.plan.title} (${planned.plan.risk}). It runs after your answer. Propose a further step only if it is needed as well, then answer.`,
      };
    },
  });
  const run = runAgent({
    run: randomUUID(),
    purpose: 'triage',
    model: parts.model,
    tools: toolbox.tools,
    clock: parts.clock,
    signal,
    fence,
    given,
    system: loadPrompt('triage').fill({
      name: config.name,
      inventory: describeInventory(config, scope.services),
      acting: config.mode === 'observe' ? 'You can look, and propose. A person decides.' : ACTING,
    }),
    question: questionFor(parts, incident, facts, given, fence.wrap),
    limits: {
      steps: config.limits.model_steps,
      milliseconds: config.limits.model_seconds_per_incident * 1000,
      tokens: Math.max(config.limits.model_tokens_per_incident - incident.modelTokens, 1000),
      contextTokens: parts.model.contextTokens,
      maxOutputTokens: Math.min(4096, Math.floor(parts.model.contextTokens / 4)),
    },
    incident: incident.id,
    listen: (event) => parts.tellAgent(incident.id, event),
  });
  let next = await run.next();
  while (!next.done) next = await run.next();
  const result = next.value;
  const tokens = incident.modelTokens + result.usage.inputTokens + result.usage.outputTokens;
  const model = result.provider ?? 'model';
  parts.record(
    incident.id,
    {
      type: 'model',
      text: `${model}: ${result.end} after ${result.steps} steps, ${tokens - incident.modelTokens} tokens${result.message ? `; ${result.message}` : ''}`,
      data: {
        model,
        end: result.end,
        steps: result.steps,
        usage: result.usage,
        looked: [...result.results.values()].map((record) => record.title),
        answer: result.text,
      },
    },
    { modelTokens: tokens },
  );
  if (result.end === 'model-failed' || result.end === 'cancelled') return null;
  const { answer } = result;
  const finished = result.end === 'answered';
  const rootCause = answer.because ?? answer.text.split('\n')[0] ?? '';
  if (answer.cause === null && rootCause === '') return null;
  return {
    cause: answer.cause ?? 'unknown',
    object: answer.object ?? incident.service,
    rootCause: rootCause || (answer.cause ?? 'unknown'),
    confidence: Math.min(answer.confidence ?? 0.5, result.evidence.some((item) => item.verified) ? 1 : 0.4),
    evidence: result.evidence,
    notChecked: answer.notChecked,
    source: 'model',
    sourceName: model,
    // What broke off before its end is for a person: nothing is done on half a thought.
    plan: finished ? proposals.map((action) => ({ kind: 'action', action: { ...action, reason: rootCause } })) : [],
    advice:
      adviceOf(answer.next) ??
      (finished || proposals.length === 0
        ? null
        : `it would have tried: ${proposals.map(actionTitle).join(', then ')}`),
  };
}

const adviceOf = (next: string | null): string | null => (next && !/^nothing\b/i.test(next) ? next : null);

/** What was measured before the model was asked, under ids that its answer may quote: whole, as it is shown. */
const recordsOf = (evidence: readonly Evidence[]): ResultRecord[] =>
  evidence.map((item, index) => ({
    id: `f${index + 1}`,
    tool: 'facts',
    title: item.title,
    content: `${item.title}: ${item.quote}`,
  }));

const MOST_AROUND = 12;

/** What the checks say that this incident is not about, the bad ones first: they tell a cause below from one here. */
function around(incident: Incident, services: readonly string[], context: Pick<ToolContext, 'latest'>): Evidence[] {
  return services
    .flatMap((name) => context.latest(name))
    .filter((result) => !(result.check in incident.checks))
    .toSorted((a, b) => Number(isFailing(b)) - Number(isFailing(a)))
    .slice(0, MOST_AROUND)
    .map(({ check, kind, verdict, summary }) => ({
      source: `check:${check}`,
      title: `${check} (${kind})`,
      quote: `${verdict}, ${summary}`,
      verified: true,
    }));
}

const MOST_FACTS = 1500;
/** What stands in the inventory, in the failing checks or in the record of what was tried. */
const KNOWN =
  /^(service|unit|host|manager|kind|is_machine|failing_checks|failing_kind|manager_state|tried_.*|(?!dependency_)\w+_process_status|check_\w+_(verdict|reason|value|status|latency_ms))$/;

/** The facts as a model may use them: without what it is told elsewhere, and without the many things a log does not have. */
function tellingFacts(facts: Facts): string {
  const told = Object.entries(facts)
    .filter(([name, value]) => value !== null && value !== '' && value !== 'none' && !KNOWN.test(name))
    .filter(([name, value]) => value !== false || !name.startsWith('log_has_'))
    .map(([name, value]) => `${name}=${String(value)}`);
  while (told.join(' · ').length > MOST_FACTS) told.pop();
  return told.join(' · ');
}

function questionFor(
  parts: AgentParts,
  incident: Incident,
  facts: Facts,
  given: readonly ResultRecord[],
  fence: (label: string, text: string) => string,
): string {
  const lasted = formatSpan(Math.max(0, parts.clock.now() - incident.since));
  const failing = Object.values(incident.checks).filter(isFailing);
  const passing = Object.values(incident.checks).filter((result) => !isFailing(result));
  const actions = parts.store.actions.of(incident.id);
  const others = parts.store.incidents
    .unresolved()
    .filter((other) => other.id !== incident.id)
    .slice(0, 5);
  const past = parts.store.incidents
    .list({ service: incident.service, limit: 4 })
    .filter((other) => other.id !== incident.id && other.state === 'resolved');
  const notes = parts.store.incidents
    .timeline(incident.id)
    .filter((entry) => entry.type === 'note' && entry.data.by === 'person');
  return [
    `Incident #${incident.id}, ${incident.severity}, for ${lasted}. Suspected: ${incident.service}. It is ${new Date(parts.clock.now()).toISOString()}.`,
    fence(
      'failing checks',
      failing.map((result) => `${result.check}: ${result.summary}`).join('\n') || 'none at this moment',
    ),
    passing.length > 0 ? `Passing again: ${passing.map((result) => result.check).join(', ')}` : '',
    fence(
      'measured just now, to be quoted by id',
      given.map((record) => `[${record.id}] ${record.content}`).join('\n'),
    ),
    fence('facts; what is not named was not found', tellingFacts(facts)),
    actions.length > 0
      ? `Already tried in this incident:\n${actions.map((action) => `- ${actionTitle(action)} (${action.by}): ${action.state}${action.held === false ? ', it did not hold' : ''}`).join('\n')}\nDo not repeat what did not help.`
      : '',
    others.length > 0
      ? fence(
          'also open now: one cause may stand behind both',
          others.map((other) => `#${other.id} ${other.title}: ${other.state}`).join('\n'),
        )
      : '',
    past.length > 0
      ? fence(
          'earlier incidents of this service: alike is not the same',
          past
            .map(
              (other) =>
                `#${other.id} ${other.title}: ${other.diagnosis?.rootCause ?? 'cause not known'}; ended by ${other.resolution ?? 'nobody knows'}`,
            )
            .join('\n'),
        )
      : '',
    notes.length > 0 ? fence('a person says', notes.map((entry) => entry.text).join('\n')) : '',
    'Find the cause.',
  ]
    .filter(Boolean)
    .join('\n\n');
}
