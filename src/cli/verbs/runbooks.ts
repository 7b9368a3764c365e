import type { Config, Risk } from '../../config/schema.ts';
import type { Runbook } from '../../runbooks/runbook.ts';
import type { Settings } from '../../store/store.ts';
import { field, shorten, type Terminal, table } from '../terminal.ts';
import { CannotRun, configFor, storeFor, type Verb, type VerbContext } from '../verb.ts';

const USAGE = 'nightshift runbooks takes list, facts, show NAME or allow NAME';

/** Known problems: `list`, `facts` that symptoms may ask for, `show NAME`, and `allow NAME --risk R` for the commands that a person wrote into one. */
const runbooks: Verb = async (context) => {
  const [action = 'list', ...words] = context.arguments;
  if (action === 'facts') return facts(context);
  if (!['list', 'show', 'allow'].includes(action)) throw new CannotRun(`${USAGE}, not ${action}`);
  const config = await configFor(context);
  const { loadRunbooks } = await import('../../runbooks/load.ts');
  const loaded = await loadRunbooks({ paths: config.runbooks, config });
  for (const { severity, file, line, column, message } of loaded.problems)
    context.terminal.error(`${severity}: ${file}:${line}:${column} ${message}`);
  if (action === 'list') {
    list(context, loaded.runbooks);
    return loaded.problems.some((problem) => problem.severity === 'error') ? 1 : 0;
  }
  const runbook = await named(words.join(' ').trim(), loaded.runbooks, action);
  return action === 'allow' ? allow(context, config, runbook) : show(context, config, runbook);
};
export default runbooks;

async function facts({ terminal, options }: VerbContext): Promise<number> {
  const { factNames } = await import('../../runbooks/fact-names.ts');
  const types: Record<string, string> = { double: 'number', bool: 'true/false' };
  const known = Object.entries(factNames).map(([fact, [type, about]]) => ({
    fact,
    type: types[type] ?? 'text',
    about,
  }));
  if (options.json) terminal.line(JSON.stringify(known, null, 2));
  else
    table(
      terminal,
      known.map(({ fact, type, about }) => [fact, type, about]),
    );
  return 0;
}

/** What `or` holds together is put in brackets where `and` stands beside it. */
function symptomsOf({ symptoms }: Runbook): string {
  const alone = symptoms.length === 1;
  return symptoms.map(({ text }) => (!alone && /\sor\s/.test(text) ? `(${text})` : text)).join(' and ');
}

function list({ terminal, options }: VerbContext, known: Runbook[]): void {
  if (options.json) {
    const shown = known.map(({ name, cause, shipped, file, symptoms }) => ({
      name,
      cause,
      shipped,
      file,
      symptoms: symptoms.map((symptom) => symptom.text),
    }));
    terminal.line(JSON.stringify(shown, null, 2));
    return;
  }
  table(
    terminal,
    known.map((runbook) => [runbook.shipped ? runbook.name : `${runbook.name} (own)`, symptomsOf(runbook)]),
  );
  if (terminal.interactive) terminal.line('next  nightshift runbooks show "NAME"');
}

async function named(name: string, known: Runbook[], action: string): Promise<Runbook> {
  if (name === '')
    throw new CannotRun(`which one? nightshift runbooks ${action} "NAME"; nightshift runbooks lists them`);
  const found = known.find((each) => each.name.toLowerCase() === name.toLowerCase());
  if (found) return found;
  const { nearest } = await import('../../config/nearest.ts');
  const meant = nearest(
    name,
    known.map((each) => each.name),
  );
  throw new CannotRun(
    `there is no runbook ${JSON.stringify(name)}. ${meant ? `Did you mean ${JSON.stringify(meant)}?` : 'nightshift runbooks lists them'}`,
  );
}

async function allow(context: VerbContext, config: Config, runbook: Runbook): Promise<number> {
  const { allowCommand, commandsOf } = await import('../../runbooks/command-tool.ts');
  const commands = commandsOf([runbook]);
  if (commands.length === 0)
    throw new CannotRun(
      `${runbook.name} has no commands to allow: its steps are tools, and the guard decides on those`,
    );
  const risk = riskOf(context.options.risk);
  const store = await storeFor(context, config);
  for (const command of commands) {
    allowCommand(store.settings, command, risk, Date.now());
    context.terminal.line(`allowed as ${risk}: ${command.id}  on ${command.host}: ${command.argv.join(' ')}`);
  }
  store.close();
  return 0;
}

/** The choices of --risk are checked where the command line is read. */
const riskOf = (text: unknown): Risk => (text === 'reversible' || text === 'destructive' ? text : 'disruptive');

async function show(context: VerbContext, config: Config, runbook: Runbook): Promise<number> {
  const { terminal } = context;
  if (context.options.json) {
    const texts = (expressions: Runbook['symptoms']) => expressions.map(({ text }) => text);
    const shown = { ...runbook, symptoms: texts(runbook.symptoms), unless: texts(runbook.unless) };
    terminal.line(JSON.stringify(shown, null, 2));
    return 0;
  }
  const store = await storeFor(context, config, { readOnly: true });
  terminal.line(`${terminal.style('bold', runbook.name)}  (${runbook.shipped ? 'shipped' : 'own'}, ${runbook.file})`);
  field(terminal, 'cause', `${runbook.cause}: ${runbook.because}`);
  for (const { text } of runbook.symptoms) field(terminal, 'symptom', text);
  for (const { text } of runbook.unless) field(terminal, 'unless', text);
  for (const step of runbook.steps) await showStep(terminal, step, store.settings);
  if (runbook.advice) field(terminal, 'advice', runbook.advice);
  store.close();
  return 0;
}

async function showStep(terminal: Terminal, step: Runbook['steps'][number], settings: Settings): Promise<void> {
  switch (step.kind) {
    case 'command': {
      const { allowedRisk } = await import('../../runbooks/command-tool.ts');
      const risk = allowedRisk(settings, step.command);
      const fate = risk.ok ? `allowed as ${risk.value}` : risk.error;
      return field(terminal, 'command', `on ${step.command.host}: ${step.command.argv.join(' ')}  (${fate})`);
    }
    case 'action': {
      const { tool, arguments: given } = step.action;
      const words = Object.entries(given).map(
        ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
      );
      return field(terminal, 'step', shorten(`${tool} ${words.join(', ')}`, 200));
    }
    case 'wait':
      return field(terminal, 'step', `wait ${step.milliseconds / 1000} s`);
    case 'verify':
      return field(terminal, 'step', `verify ${step.checks.join(', ')}`);
    case 'alert':
      return field(terminal, 'step', `tell a person if ${step.when}`);
  }
}
