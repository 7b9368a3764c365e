import { nearest } from '../../config/nearest.ts';
import type { Risk } from '../../config/schema.ts';
import { CannotRun, configFor, storeFor, type Verb } from '../verb.ts';
import { shorten, table } from '../terminal.ts';

/** Known problems: `list`, `facts` that symptoms may ask for, `show NAME`, and `allow NAME --risk R` for the commands that a person wrote into one. */
const runbooks: Verb = async (context) => {
  const { terminal, options } = context;
  const { loadRunbooks } = await import('../../runbooks/load.ts');
  const { allowCommand, allowedRisk, commandsOf } = await import('../../runbooks/command-tool.ts');
  const config = await configFor(context);
  const [action = 'list', name] = context.arguments;
  const loaded = await loadRunbooks({ paths: config.runbooks, config });
  for (const problem of loaded.problems) terminal.error(`${problem.severity}: ${problem.file}:${problem.line}:${problem.column} ${problem.message}`);
  if (action === 'list') {
    if (options.json) terminal.line(JSON.stringify(loaded.runbooks.map((runbook) => ({ name: runbook.name, cause: runbook.cause, shipped: runbook.shipped, file: runbook.file, symptoms: runbook.symptoms.map((symptom) => symptom.text) })), null, 2));
    else table(terminal, loaded.runbooks.map((runbook) => [runbook.shipped ? 'shipped' : 'own', runbook.name, runbook.symptoms.map((symptom) => symptom.text).join(' and ')]));
    return loaded.problems.some((problem) => problem.severity === 'error') ? 1 : 0;
  }
  if (action === 'facts') {
    const { factNames } = await import('../../runbooks/fact-names.ts');
    const facts = Object.entries(factNames).map(([fact, [type, about]]) => ({ fact, type: type === 'double' ? 'number' : type === 'bool' ? 'true/false' : 'text', about }));
    if (options.json) terminal.line(JSON.stringify(facts, null, 2));
    else table(terminal, facts.map(({ fact, type, about }) => [fact, type, about]));
    return 0;
  }
  const runbook = loaded.runbooks.find((each) => each.name === name);
  if (!runbook) throw new CannotRun(`there is no runbook ${JSON.stringify(name ?? '')}. Did you mean ${nearest(name ?? '', loaded.runbooks.map((each) => each.name)) ?? 'one of nightshift runbooks'}?`);
  const commands = commandsOf([runbook]);
  const store = await storeFor(context, config, { readOnly: action === 'show' });
  try {
    if (action === 'allow') {
      if (commands.length === 0) throw new CannotRun(`${runbook.name} has no commands to allow: its steps are tools, and the guard decides on those`);
      const risk = options.risk as Risk;
      for (const command of commands) {
        allowCommand(store.settings, command, risk, Date.now());
        terminal.line(`allowed as ${risk}: ${command.id}  on ${command.host}: ${command.argv.join(' ')}`);
      }
      return 0;
    }
    if (action !== 'show') throw new CannotRun(`nightshift runbooks takes list, facts, show NAME or allow NAME, not ${action}`);
    if (options.json) {
      terminal.line(JSON.stringify(runbook, (key, value: unknown) => (key === 'symptoms' || key === 'unless' ? (value as { text: string }[]).map((each) => each.text) : value), 2));
      return 0;
    }
    terminal.line(`${terminal.style('bold', runbook.name)}  (${runbook.shipped ? 'shipped' : 'own'}, ${runbook.file})`);
    terminal.line(`cause     ${runbook.cause}: ${runbook.because}`);
    for (const symptom of runbook.symptoms) terminal.line(`symptom   ${symptom.text}`);
    for (const each of runbook.unless) terminal.line(`unless    ${each.text}`);
    for (const step of runbook.steps) {
      if (step.kind === 'command') {
        const risk = allowedRisk(store.settings, step.command);
        terminal.line(`command   on ${step.command.host}: ${step.command.argv.join(' ')}  (${risk.ok ? `allowed as ${risk.value}` : risk.error})`);
      } else terminal.line(`step      ${shorten(JSON.stringify(step.kind === 'action' ? { [step.action.tool]: step.action.arguments } : step), 160)}`);
    }
    if (runbook.advice) terminal.line(`advice    ${runbook.advice}`);
    return 0;
  } finally {
    store.close();
  }
};
export default runbooks;
