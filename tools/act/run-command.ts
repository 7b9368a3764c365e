import { z } from 'zod';
import { type Config, type Risk, risks } from '../../src/config/schema.ts';
import { excerpt, formatSpan } from '../../src/health/format.ts';
import { succeeded } from '../../src/hosts/host.ts';
import { oneOf, reason, servicesIn } from '../shared/names.ts';
import { done, failed, lines, whatCameBack } from '../shared/say.ts';
import { defineTool, type ToolScope } from '../tool.ts';

const output = z.object({ command: z.string(), exitCode: z.number().nullable(), failure: z.string().nullable() });

/** SERVICE/COMMAND: what a person has allowed by name. */
const commandsIn = (scope: ToolScope, config: Config): string[] =>
  servicesIn(scope, config).flatMap((name) =>
    Object.keys(config.services.get(name)?.commands ?? {}).map((command) => `${name}/${command}`),
  );

export const runCommand = defineTool({
  name: 'run_command',
  description:
    'Runs a program that a person has allowed for a service, by its name. What it does stands in the inventory.',
  risk: 'reversible',
  applies: (scope, config) => commandsIn(scope, config).length > 0,
  input: (scope, config) =>
    z.strictObject({ command: oneOf(commandsIn(scope, config), described(scope, config)), reason }),
  output,
  async plan({ command: key }, context) {
    const found = commandOf(key, context.config);
    if (!found) return { refusal: `${key} is not among the commands a person has allowed` };
    const { service, name, command } = found;
    return {
      plan: {
        title: `run ${name} of ${service.name} (${excerpt(command.run.join(' '), 80)})`,
        service: service.name,
        risk: atLeastReversible(command.risk),
        undo: undoOf(command.undo, service.name),
      },
    };
  },
  async run({ command: key }, context) {
    const found = commandOf(key, context.config);
    if (!found)
      return failed(`${key} is not among the commands a person has allowed.`, {
        command: key,
        exitCode: null,
        failure: 'not-allowed',
      });
    const { service, command } = found;
    const host = context.host(service.host);
    const result = await host.run({
      argv: command.run,
      timeoutMs: command.within,
      ...(service.directory === undefined ? {} : { directory: service.directory }),
      ...(service.environment === undefined ? {} : { environment: service.environment }),
      maxBytes: 64 * 1024,
      signal: context.signal,
    });
    const details = { command: key, exitCode: result.exitCode, failure: result.failure ?? null };
    const said = excerpt(lastPart(result.stdout) || lastPart(result.stderr), 800);
    if (!succeeded(result)) return failed(`${key} failed. ${whatCameBack(result, host)}`, details);
    return done(
      lines(`${key} ended well in ${formatSpan(result.durationMs)}`, said !== '' && `it says: ${said}`),
      details,
    );
  },
});

function commandOf(key: string, config: Config) {
  const [serviceName = '', ...rest] = key.split('/');
  const name = rest.join('/');
  const service = config.services.get(serviceName);
  const command = Object.entries(service?.commands ?? {}).find(([each]) => each === name)?.[1];
  return service && command ? { service, name, command } : null;
}

const described = (scope: ToolScope, config: Config): string =>
  commandsIn(scope, config)
    .map(
      (key) =>
        `${key}: ${commandOf(key, config)?.command.description ?? commandOf(key, config)?.command.run.join(' ')}`,
    )
    .join('; ')
    .slice(0, 600);

/** Whatever is run acts, also what a person called a mere look. */
const atLeastReversible = (risk: Risk): Risk =>
  risks.indexOf(risk) < risks.indexOf('reversible') ? 'reversible' : risk;

const undoOf = (undo: string | undefined, service: string): string =>
  undo === undefined ? 'none' : undo === 'none needed' ? undo : `run_command ${service}/${undo}`;

const lastPart = (text: string): string => text.trim().slice(-2000);
