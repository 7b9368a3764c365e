import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/schema.ts';
import type { CommandRequest } from '../../src/hosts/host.ts';
import { allowanceName, allowCommand, commandsOf, createCommandTool } from '../../src/runbooks/command-tool.ts';
import { expandArgv } from '../../src/runbooks/placeholders.ts';
import type { Settings } from '../../src/store/store.ts';
import { configOf } from '../support/config.ts';
import { contextOf, hostWith, load } from './support.ts';

const config = configOf(`
hosts:
  pc: { ssh: pc }
services:
  mail: { manager: supervisor, unit: worker_mail, host: pc }
  worker_3: { manager: supervisor, host: pc }
  api: { manager: systemd }
`);

function memorySettings(): Settings {
  const kept = new Map<string, unknown>();
  return {
    get: (name) => kept.get(name) ?? null,
    set: (name, value) => void kept.set(name, value),
    all: () => [],
  };
}

const yaml = (command: string) => `common_issues:
  - name: Worker stopped
    symptoms: [disk_usage > 1%]
    auto_resolve:
      - command: ${JSON.stringify(command)}
`;

async function toolFor(command: string, settings: Settings) {
  const { runbooks, problems } = await load(yaml(command), config);
  expect(problems).toEqual([]);
  const [first] = commandsOf(runbooks);
  if (!first) throw new Error('there is no command');
  const tool = createCommandTool({ runbooks, settings });
  if (!tool) throw new Error('there is no tool');
  return { command: first, tool };
}

/** Plans and runs on a host that only writes down what it was asked for. */
async function use(tool: NonNullable<ReturnType<typeof createCommandTool>>, args: Record<string, unknown>) {
  const asked: { host: string; request: CommandRequest }[] = [];
  const context = contextOf(config, {
    host: (host) => ({
      ...hostWith({}),
      run: async (request) => {
        asked.push({ host, request });
        return {
          argv: request.argv,
          exitCode: 0,
          signal: null,
          stdout: 'ok',
          stderr: '',
          durationMs: 1,
          truncated: false,
        };
      },
    }),
  });
  const parsed = tool.input(context.scope, config).parse(args);
  const plan = await tool.plan?.(parsed, context);
  return { plan, run: () => tool.run(parsed, context), asked };
}

describe('a command that a person wrote', () => {
  it('is refused until it is allowed, and runs as argv on its host afterwards', async () => {
    const settings = memorySettings();
    const { tool, command } = await toolFor("ssh pc 'supervisorctl restart worker_{name}'", settings);
    const args = { id: 'Worker stopped#1', service: 'mail' };

    const before = await use(tool, args);
    expect(before.plan).toEqual({ refusal: expect.stringContaining('nightshift runbooks allow "Worker stopped"') });
    expect((await before.run()).ok).toBe(false);
    expect(before.asked).toEqual([]);

    allowCommand(settings, command, 'disruptive', 1);
    const after = await use(tool, args);
    expect(after.plan).toEqual({
      plan: { title: 'run supervisorctl restart worker_mail on pc', service: 'mail', risk: 'disruptive', undo: 'none' },
    });
    expect(await after.run()).toMatchObject({ ok: true, details: { exitCode: 0, stdout: 'ok' } });
    expect(after.asked).toMatchObject([{ host: 'pc', request: { argv: ['supervisorctl', 'restart', 'worker_mail'] } }]);
  });

  it('is refused once more when a word of it changed, its host included', async () => {
    const settings = memorySettings();
    const first = await toolFor("ssh pc 'supervisorctl restart worker_{name}'", settings);
    allowCommand(settings, first.command, 'reversible', 1);
    for (const changed of ["ssh pc 'supervisorctl stop worker_{name}'", 'supervisorctl restart worker_{name}']) {
      const { tool } = await toolFor(changed, settings);
      const { plan } = await use(tool, { id: 'Worker stopped#1', service: 'mail' });
      expect(plan).toEqual({ refusal: expect.stringContaining('has changed since it was allowed') });
    }
  });

  it('never plans below its own risk, and takes no allowance it cannot read', async () => {
    const settings = memorySettings();
    const { tool, command } = await toolFor('df -h', settings);
    allowCommand(settings, command, 'read', 1);
    expect((await use(tool, { id: 'Worker stopped#1', service: 'api' })).plan).toMatchObject({
      plan: { risk: 'reversible' },
    });
    settings.set(allowanceName(command.id), { hash: 'x', risk: 'anything' });
    expect((await use(tool, { id: 'Worker stopped#1', service: 'api' })).plan).toHaveProperty('refusal');
  });

  it('exists for loaded commands and services of the scope only', async () => {
    const { tool } = await toolFor('df -h', memorySettings());
    const input = tool.input({ services: ['api'], hosts: [] }, config);
    expect(input.safeParse({ id: 'Worker stopped#1', service: 'api' }).success).toBe(true);
    expect(input.safeParse({ id: 'Worker stopped#2', service: 'api' }).success).toBe(false);
    expect(input.safeParse({ id: 'Worker stopped#1', service: 'mail' }).success).toBe(false);
    expect(createCommandTool({ runbooks: [], settings: memorySettings() })).toBeNull();
  });
});

describe('placeholders', () => {
  const service = (name: string) => {
    const found = (config as Config).services.get(name);
    if (!found) throw new Error(name);
    return found;
  };
  it.each([
    ['mail', 'worker_{name}', 'worker_mail'],
    ['worker_3', 'worker_{name}', 'worker_3'],
    ['mail', '{name}', 'mail'],
    ['mail', '{service}@{host}', 'mail@pc'],
    ['mail', '--unit={unit}.service', '--unit=worker_mail.service'],
    ['api', '/srv/{name}/cache', '/srv/api/cache'],
  ])('%s in %s', (name, word, expected) => {
    expect(expandArgv([word], service(name), config)).toEqual({ ok: true, value: [expected] });
  });

  it('give no name that the inventory does not have', () => {
    expect(expandArgv(['worker_{name}'], service('api'), config)).toEqual({
      ok: false,
      error: expect.stringContaining('worker_api'),
    });
  });
});
