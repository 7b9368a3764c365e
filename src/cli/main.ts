import { createRequire } from 'node:module';
import type { Command as CommandType } from 'commander';
import { messageOf } from '../base/outcome.ts';
import { examples } from './help.ts';
import { createTerminal } from './terminal.ts';
import { CannotRun, productVersion, type Verb, type VerbOptions } from './verb.ts';

// Its CommonJS form loads in half the time of the module around it, and every verb waits for this.
const { Command, CommanderError, Option }: typeof import('commander') = createRequire(import.meta.url)('commander');

const terminal = createTerminal();

/** 0 done · 1 something is failing, or it was not done · 2 it cannot run (usage, configuration, state). */
const CANNOT_RUN = 2;

const program = new Command('nightshift')
  .description(
    'An operations agent for people who run their own machines: it watches, finds the cause,\nfixes what is safe to fix, and proves that the fix held.',
  )
  .version(productVersion(), '-v, --version')
  .addHelpText(
    'after',
    `
Examples:
  nightshift watch                          watch what nightshift.yaml names, or this machine as it is
  nightshift demo                           one minute: a small stack is broken and mended before your eyes
  nightshift ask "why is checkout slow?"    a question in plain words, answered from live evidence
  nightshift check --json                   every check once, for cron and systemd timers
  nightshift fix api --dry-run              what would be done about api, and why

Exit codes: 0 done · 1 something is failing, or was not done · 2 cannot run (usage, configuration, state)`,
  )
  .configureHelp({ helpWidth: 100 })
  .option('-c, --config <file>', 'the configuration to use; every verb takes it')
  .enablePositionalOptions()
  .showHelpAfterError('nightshift --help lists what there is')
  .exitOverride();

/** A verb: its code is loaded only when it is called, which keeps the others quick to start. */
function verb(
  name: string,
  summary: string,
  load: () => Promise<{ default: Verb }>,
  shape?: (command: CommandType) => void,
): void {
  const command = program
    .command(name)
    .description(summary)
    .option('-c, --config <file>', 'the configuration to use')
    .showHelpAfterError(`nightshift ${name} --help shows how it is used`)
    .exitOverride();
  command.addHelpText('after', `\nExamples:\n${(examples[name] ?? []).map((line) => `  ${line}`).join('\n')}`);
  shape?.(command);
  command.action(async () => {
    const { default: run } = await load();
    process.exitCode = await run({
      terminal,
      arguments: command.args,
      options: command.optsWithGlobals<VerbOptions>(),
      environment: process.env,
      directory: process.cwd(),
    });
  });
}
const json = (command: CommandType) => void command.option('--json', 'print JSON and nothing else');

verb(
  'watch',
  'watch, find, fix, prove: day and night',
  () => import('./verbs/watch.ts'),
  (command) => {
    command
      .option('--once', 'one cycle: measure, deal with what is found, end')
      .option('--json', 'one JSON object a line');
    command.addOption(new Option('--mode <mode>', 'for this run').choices(['observe', 'propose', 'act']));
  },
);
verb(
  'ask',
  'ask in plain words; without a question, a conversation',
  () => import('./verbs/ask.ts'),
  (command) => {
    command.argument('[question...]');
    json(command);
  },
);
verb(
  'check',
  'run every check once: exit 0, or 1 when something is failing',
  () => import('./verbs/check.ts'),
  (command) => {
    command.argument('[service...]', 'only these');
    json(command);
  },
);
verb('status', 'how things are, and uptime', () => import('./verbs/status.ts'), json);
verb(
  'incidents',
  'what happened lately',
  () => import('./verbs/incidents.ts'),
  (command) => {
    command.option('--open', 'only those not resolved').option('--limit <n>', 'how many', '20');
    json(command);
  },
);
verb(
  'show',
  'one incident, whole',
  () => import('./verbs/show.ts'),
  (command) => {
    command.argument('<incident>').option('--markdown', 'the report as Markdown');
    json(command);
  },
);
verb(
  'fix',
  'do by hand what the loop would: diagnose, act, prove',
  () => import('./verbs/fix.ts'),
  (command) => {
    command
      .argument('<service>')
      .argument('[issue...]', 'what is wrong, in your words')
      .option('--dry-run', 'only say what would be done');
    json(command);
  },
);
verb(
  'resolve',
  'you were faster: say what helped, and it is remembered',
  () => import('./verbs/resolve.ts'),
  (command) => {
    command
      .argument('<incident>')
      .option('--by <what>', 'such as "restart cache"')
      .option('--no-proof', 'do not measure whether it holds');
  },
);
verb(
  'reopen',
  'it is not over',
  () => import('./verbs/reopen.ts'),
  (command) => void command.argument('<incident>').argument('[why...]'),
);
verb(
  'note',
  'add a note to an incident',
  () => import('./verbs/note.ts'),
  (command) => void command.argument('<incident>').argument('<text...>'),
);
verb('approvals', 'what waits for your yes', () => import('./verbs/approvals.ts'), json);
verb(
  'approve',
  'allow one action, once',
  () => import('./verbs/approve.ts'),
  (command) => void command.argument('<approval>'),
);
verb(
  'deny',
  'refuse one action',
  () => import('./verbs/deny.ts'),
  (command) => {
    command.argument('<approval>').option('--because <why>', 'kept with the incident');
  },
);
verb(
  'runbooks',
  'known problems: list, facts, show NAME, allow NAME',
  () => import('./verbs/runbooks.ts'),
  (command) => {
    command.argument('[action]', 'list, facts, show or allow', 'list').argument('[name...]');
    command.addOption(
      new Option('--risk <risk>', 'allow: the risk of its commands')
        .choices(['reversible', 'disruptive', 'destructive'])
        .default('disruptive'),
    );
    json(command);
  },
);
verb(
  'ping',
  'report that something has run, for a heartbeat check',
  () => import('./verbs/ping.ts'),
  (command) => void command.argument('<name>'),
);
verb(
  'init',
  'write a nightshift.yaml from what runs here',
  () => import('./verbs/init.ts'),
  (command) => {
    command.option('--print', 'only show it').option('--force', 'replace an existing one');
  },
);
verb('schema', 'the JSON Schema of nightshift.yaml, for editors', () => import('./verbs/schema.ts'));
verb('doctor', 'what is missing, with the command that mends it', () => import('./verbs/doctor.ts'), json);
verb(
  'demo',
  'one minute of proof in a temporary folder',
  () => import('./verbs/demo.ts'),
  (command) => {
    command.option('--keep', 'keep the folder afterwards');
  },
);

/** On one line for people; where it came from only for those who ask. */
function fail(error: unknown): void {
  // A reason that was written for people keeps its lines; anything else is a failure of ours.
  terminal.error(error instanceof CannotRun ? error.message : `nightshift: ${messageOf(error)}`);
  if (process.env.NIGHTSHIFT_DEBUG && error instanceof Error) terminal.error(error.stack ?? '');
  else if (!(error instanceof CannotRun)) terminal.error('NIGHTSHIFT_DEBUG=1 shows where it comes from');
  process.exitCode = CANNOT_RUN;
}
process.on('uncaughtException', (error) => {
  fail(error);
  process.exit(CANNOT_RUN);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : CANNOT_RUN;
  else fail(error);
}
