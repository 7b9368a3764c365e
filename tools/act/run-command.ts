import { z } from 'zod';
import { type Config, type Risk, risks, type Service } from '../../src/config/schema.ts';
import { excerpt, formatSpan } from '../../src/health/format.ts';
import { succeeded } from '../../src/hosts/host.ts';
import { oneOf, reason, servicesIn } from '../shared/names.ts';
import { done, failed, lines, whatCameBack } from '../shared/say.ts';
import { defineTool, type ToolScope } from '../tool.ts';

const output = z.object({ command: z.string(), exitCode: z.number().nullable(), failure: z.string().nullable() });

const allowing = (service: Service): boolean => Object.keys(service.commands ?? {}).length > 0;

const commandsOf = (scope: ToolScope, config: Config): { service: string; name: string; what: string }[] =>
  servicesIn(scope, config, allowing).flatMap((service) =>
    Object.entries(config.services.get(service)?.commands ?? {}).map(([name, { description, run }]) => ({
      service,
      name,
      what: description ?? run.join(' '),
    })),
  );

const MEANINGS_LENGTH = 1500;

/** What each does, as long as there is room: a list cut in the middle of a sentence misleads. */
function meaningsOf(commands: readonly { service: string; name: string; what: string }[]): string {
  const meanings = commands.map(({ service, name, what }) => `${name} (of ${service}): ${excerpt(what, 160)}`);
  let length = 0;
  const shown = meanings.filter((each) => {
    length += each.length + 2;
    return length <= MEANINGS_LENGTH;
  });
  const left = meanings.length - shown.length;
  return shown.join('; ') + (left > 0 ? `; and ${left} more` : '');
}

export const runCommand = defineTool({
  name: 'run_command',
  description:
    'Runs a program that a person has allowed for a service, by its name; what each does stands at `command`.',
  risk: 'reversible',
  applies: (scope, config) => commandsOf(scope, config).length > 0,
  input: (scope, config) => {
    const commands = commandsOf(scope, config);
    return z.strictObject({
      service: oneOf(servicesIn(scope, config, allowing), 'whose command'),
      command: oneOf(
        commands.map(({ name }) => name),
        meaningsOf(commands),
      ),
      reason,
    });
  },
  output,
  async plan(args, context) {
    const service = context.service(args.service);
    const command = commandOf(service, args.command);
    if (!command)
      return { refusal: `${args.command} is not among the commands a person has allowed for ${service.name}` };
    return {
      plan: {
        title: `run ${args.command} of ${service.name} (${excerpt(command.run.join(' '), 400)})`,
        service: service.name,
        risk: atLeastReversible(command.risk),
        undo: undoOf(command.undo, service.name),
      },
    };
  },
  async run(args, context) {
    const service = context.service(args.service);
    const command = commandOf(service, args.command);
    const key = `${args.command} of ${service.name}`;
    if (!command)
      return failed(`${key} is not among the commands a person has allowed.`, {
        command: args.command,
        exitCode: null,
        failure: 'not-allowed',
      });
    const host = context.host(service.host);
    const result = await host.run({
      argv: command.run,
      timeoutMs: command.within,
      ...(service.directory === undefined ? {} : { directory: service.directory }),
      ...(service.environment === undefined ? {} : { environment: service.environment }),
      maxBytes: 64 * 1024,
      signal: context.signal,
    });
    const details = { command: args.command, exitCode: result.exitCode, failure: result.failure ?? null };
    const said = excerpt(lastPart(result.stdout) || lastPart(result.stderr), 800);
    if (!succeeded(result)) return failed(`${key} failed. ${whatCameBack(result, host)}`, details);
    return done(
      lines(`${key} ended well in ${formatSpan(result.durationMs)}`, said !== '' && `it says: ${said}`),
      details,
    );
  },
});

const commandOf = (service: Service, name: string) =>
  Object.entries(service.commands ?? {}).find(([each]) => each === name)?.[1];

/** Whatever is run acts, also what a person called a mere look. */
const atLeastReversible = (risk: Risk): Risk =>
  risks.indexOf(risk) < risks.indexOf('reversible') ? 'reversible' : risk;

const undoOf = (undo: string | undefined, service: string): string =>
  undo === undefined ? 'none' : undo === 'none needed' ? undo : `run_command ${undo} of ${service}`;

const lastPart = (text: string): string => text.trim().slice(-2000);
