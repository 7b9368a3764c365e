import { actionTitle } from '../../incidents/action-title.ts';
import { nearest } from '../../config/nearest.ts';
import { shorten } from '../terminal.ts';
import { CannotRun, configFor, type Verb } from '../verb.ts';

/** By hand what the loop would do: measure, diagnose, act, prove. `--dry-run` stops before the act and records nothing. */
const fix: Verb = async (context) => {
  const { terminal, options } = context;
  const { fixByHand } = await import('../../app.ts');
  const config = await configFor(context);
  const [service = '', ...issue] = context.arguments;
  if (!config.services.has(service)) {
    const known = [...config.services.keys()];
    throw new CannotRun(`there is no service ${service} in ${config.file ?? 'the configuration'}. Did you mean ${nearest(service, known) ?? known.join(', ')}?`);
  }
  const label = (word: string) => terminal.style('dim', word.padEnd(10));
  const say = (word: string, text: string) => (options.json ? undefined : terminal.line(`${label(word)}${text}`));
  const fixed = await fixByHand({
    config, surroundings: context, service, issue: issue.join(' ').trim(), dryRun: options.dryRun === true,
    onTimeline: (entry) => {
      if (['opened', 'facts', 'diagnosis'].includes(entry.type)) return;
      say(entry.type === 'action-start' ? 'act' : entry.type === 'holding' ? 'verify' : entry.type, shorten(entry.text, 300));
    },
    onDiagnosis: (diagnosis) => {
      say('cause', `${diagnosis.rootCause}  (${diagnosis.source}${diagnosis.sourceName ? ` ${diagnosis.sourceName}` : ''})`);
      for (const item of diagnosis.evidence.slice(0, 5)) say('evidence', `${item.title}  "${shorten(item.quote, 120)}"`);
      for (const step of diagnosis.plan) {
        say(options.dryRun ? 'would' : 'plan', step.kind === 'action' ? actionTitle(step.action) : step.kind === 'wait' ? `wait ${step.milliseconds / 1000} s` : step.kind === 'verify' ? `verify ${step.checks.join(', ')}` : `tell a person if ${step.when}`);
      }
      if (diagnosis.plan.length === 0) say('would', diagnosis.advice ?? 'nothing: the evidence is not enough');
    },
  });
  if (options.json) terminal.line(JSON.stringify(fixed, null, 2));
  else say('result', fixed.summary);
  return fixed.ok ? 0 : 1;
};
export default fix;
