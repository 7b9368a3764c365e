import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Tool, ToolContext } from '../../tools/tool.ts';
import { failure, type Outcome, success } from '../base/outcome.ts';
import { type Risk, risks } from '../config/schema.ts';
import { type Argv, succeeded } from '../hosts/host.ts';
import type { Settings } from '../store/store.ts';
import { expandArgv } from './placeholders.ts';
import type { Runbook, RunbookCommand } from './runbook.ts';

/** A person's yes to one command of a runbook, as it was written then. */
interface Allowance {
  hash: string;
  risk: Risk;
  /** Milliseconds since the epoch. */
  at: number;
}

const allowance = z.object({ hash: z.string(), risk: z.enum(risks), at: z.number() });

/** Where a command's allowance is kept: `allow.runbook-command.RUNBOOK#2`. */
export const allowanceName = (id: string): string => `allow.runbook-command.${id}`;

/** Changes with the host and with every word of the command, placeholders as written. */
const commandHash = (command: Pick<RunbookCommand, 'host' | 'argv'>): string =>
  createHash('sha256')
    .update(JSON.stringify([command.host, ...command.argv]))
    .digest('hex');

/** Every command of the runbooks, by id. */
export const commandsOf = (runbooks: readonly Runbook[]): RunbookCommand[] =>
  runbooks.flatMap((runbook) => runbook.steps.flatMap((step) => (step.kind === 'command' ? [step.command] : [])));

/** Keeps a person's yes. */
export function allowCommand(settings: Settings, command: RunbookCommand, risk: Risk, at: number): void {
  settings.set(allowanceName(command.id), { hash: commandHash(command), risk, at } satisfies Allowance);
}

/** The risk a command was allowed at, or why it may not run. */
export function allowedRisk(settings: Pick<Settings, 'get'>, command: RunbookCommand): Outcome<Risk> {
  const kept = settings.get(allowanceName(command.id));
  const how = `nightshift runbooks allow "${command.id.replace(/#\d+$/, '')}"`;
  if (kept === null || kept === undefined) {
    return failure(`nobody has allowed this command yet: ${command.text} (${how})`);
  }
  const parsed = allowance.safeParse(kept);
  if (!parsed.success) return failure(`its allowance cannot be read; allow it again (${how})`);
  if (parsed.data.hash !== commandHash(command)) {
    return failure(`the command has changed since it was allowed; it now reads: ${command.text} (${how})`);
  }
  return success(parsed.data.risk);
}

interface RunbookCommandDetails {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

interface CommandToolParts {
  runbooks: readonly Runbook[];
  settings: Pick<Settings, 'get'>;
}

const LIMIT_MS = 120_000;

/**
 * The tool that runs a command which a person wrote into a runbook; null where no runbook has one. It is for plans
 * of runbooks, not for a model: what it may run is decided by the files and by `nightshift runbooks allow`, each time anew.
 */
export function createCommandTool({ runbooks, settings }: CommandToolParts): Tool | null {
  const commands = new Map(commandsOf(runbooks).map((command) => [command.id, command]));
  const ids = [...commands.keys()];
  if (ids.length === 0) return null;

  /** The argv as it would run now for a service, and at what risk. */
  const ready = (args: Record<string, unknown>, context: ToolContext): Outcome<Ready> => {
    const command = commands.get(String(args.id));
    const service = context.config.services.get(String(args.service));
    if (!command || !service) return failure(`there is no such command: ${String(args.id)}`);
    const risk = allowedRisk(settings, command);
    if (!risk.ok) return risk;
    const argv = expandArgv(command.argv, service, context.config);
    return argv.ok ? success({ command, argv: argv.value, risk: risk.value, service: service.name }) : argv;
  };

  return {
    name: 'runbook_command',
    description: 'Runs a command that a person wrote into a runbook and has allowed.',
    risk: 'reversible',
    input: (scope) => z.object({ id: z.enum(ids), service: z.enum(scope.services) }),
    output: z.object({ exitCode: z.number().nullable(), stdout: z.string(), stderr: z.string() }),
    async plan(args, context) {
      const outcome = ready(args, context);
      if (!outcome.ok) return { refusal: outcome.error };
      const { command, argv, risk, service } = outcome.value;
      const where = command.host === 'local' ? '' : ` on ${command.host}`;
      return {
        plan: {
          title: `run ${argv.join(' ')}${where}`,
          service,
          // A tool's plan is never below its own risk, whatever was chosen.
          risk: risk === 'read' ? 'reversible' : risk,
          undo: risk === 'reversible' || risk === 'read' ? 'none needed' : 'none',
        },
      };
    },
    async run(args, context) {
      const outcome = ready(args, context);
      const nothing: RunbookCommandDetails = { exitCode: null, stdout: '', stderr: '' };
      if (!outcome.ok) return { ok: false, content: `refused: ${outcome.error}`, details: nothing };
      const { command, argv } = outcome.value;
      const [program, ...rest] = argv;
      if (program === undefined) return { ok: false, content: 'refused: an empty command', details: nothing };
      const whole: Argv = [program, ...rest];
      const result = await context.host(command.host).run({
        argv: whole,
        timeoutMs: LIMIT_MS,
        maxBytes: 64 * 1024,
        signal: context.signal,
      });
      const said = (result.stderr || result.stdout).trim().split('\n').slice(-5).join('\n');
      const how =
        result.failure ?? (result.exitCode === null ? `signal ${result.signal}` : `exit code ${result.exitCode}`);
      return {
        ok: succeeded(result),
        content: `${argv.join(' ')} on ${command.host}: ${how}${said ? `\n${said}` : ''}`,
        details: { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr },
      };
    },
  };
}

interface Ready {
  command: RunbookCommand;
  argv: string[];
  risk: Risk;
  service: string;
}
