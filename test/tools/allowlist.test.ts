import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { chooseTools } from '../../src/agent/choose-tools.ts';
import { actTools, allTools, lookTools } from '../../tools/index.ts';
import { world } from './world.ts';

const services = `
  api: { manager: process, start: [node, api.js], reload_signal: SIGHUP, directory: DIR, files: [DIR/.env], clear: [DIR/cache], logs: DIR/api.log, rotate: { above: 1MB },
         releases: { directory: DIR/releases, current: DIR/current }, commands: { vacuum: { run: [echo, hi] } }, depends_on: [cache, db],
         checks: [{ http: "https://api.example.test:8443/health" }] }
  cache: { manager: process, start: [redis-server], checks: [{ redis: "redis://127.0.0.1:6379" }] }
  db: { manager: process, start: [postgres], checks: [{ postgres: "postgres://app@127.0.0.1:5432/app" }] }
`;

describe('the allowlist', () => {
  test('looks are of risk read, the rest are above it and have a plan', () => {
    expect(lookTools.map(({ risk }) => risk)).toEqual(lookTools.map(() => 'read'));
    expect(lookTools.filter(({ plan }) => plan)).toEqual([]);
    expect(actTools.filter(({ risk, plan }) => risk === 'read' || plan === undefined)).toEqual([]);
  });

  test('no name is a part of another, for a small model mixes those up', () => {
    const names = allTools.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    // The one pair that stays is what people and managers have always called it.
    const others = names.filter((name) => name !== 'start_service');
    for (const name of others) expect(names.filter((other) => other !== name && other.includes(name))).toEqual([]);
    // Of names that end at the same place Ollama takes the first, wherever tools are listed or chosen.
    const { context, config } = world({ services });
    const acting = chooseTools(allTools, config, context.scope, '').map(({ name }) => name);
    for (const offered of [names, acting]) {
      expect(offered).toContain('start_service');
      expect(offered.indexOf('restart_service')).toBeLessThan(offered.indexOf('start_service'));
      expect(offered).toContain('restart_service');
    }
  });

  test('every input is plain JSON Schema whose texts are enums, ids of a fixed form, or the two that reach no process', () => {
    const { context, config } = world({ services });
    for (const tool of allTools) {
      const schema = z.toJSONSchema(tool.input(context.scope, config), { io: 'input' });
      expect(schema.type, tool.name).toBe('object');
      for (const [name, property] of Object.entries(schema.properties ?? {})) {
        if (typeof property === 'boolean') throw new Error(`${tool.name}.${name}`);
        const items = typeof property.items === 'object' && !Array.isArray(property.items) ? property.items : {};
        const closed = property.enum ?? property.pattern ?? items.pattern;
        if (property.type === 'integer')
          expect([property.minimum, property.maximum], `${tool.name}.${name}`).not.toContain(undefined);
        else if (closed === undefined) expect(['reason', 'contains'], `${tool.name}.${name}`).toContain(name);
      }
    }
  });

  test('a name outside of the scope is not taken', () => {
    const { config } = world({ services });
    const restart = actTools.find(({ name }) => name === 'restart_service');
    const scope = { services: ['api', 'machine'], hosts: ['local'] };
    expect(restart?.input(scope, config).safeParse({ service: 'api' }).success).toBe(true);
    expect(restart?.input(scope, config).safeParse({ service: 'cache' }).success).toBe(false);
    expect(restart?.input(scope, config).safeParse({ service: 'machine' }).success).toBe(false);
    expect(restart?.input(scope, config).safeParse({ service: 'api', argv: ['rm'] }).success).toBe(false);
  });

  test('a tool with nothing to name says that it does not apply', () => {
    const { config } = world({ services });
    const applying = (...names: string[]) =>
      allTools
        .filter((tool) => tool.applies?.({ services: names, hosts: ['local'] }, config) ?? true)
        .map(({ name }) => name);
    expect(applying('cache')).toContain('redis_state');
    expect(applying('cache')).not.toContain('postgres_state');
    expect(applying('cache')).not.toContain('rotate_log');
    expect(applying('api')).toEqual(
      expect.arrayContaining([
        'rotate_log',
        'restore_file',
        'activate_release',
        'clear_directory',
        'run_command',
        'certificate_info',
      ]),
    );
  });

  test('what allowed commands do is said where they are chosen, and no look names a tool that acts', () => {
    const { context, config } = world({
      services: `
  api: { manager: process, start: [node, api.js], commands: { vacuum: { run: [echo, hi], description: Frees space. }, flush: { run: [redis-cli, flushall] } } }
`,
    });
    const command = actTools.find(({ name }) => name === 'run_command')?.input(context.scope, config).shape.command;
    expect(command?.description).toBe('vacuum (of api): Frees space.; flush (of api): redis-cli flushall');
    for (const look of lookTools)
      for (const { name } of actTools) expect(look.description, look.name).not.toContain(name);
  });

  test('descriptions stay short', () => {
    for (const { name, description } of allTools) expect(description.length, name).toBeLessThan(320);
  });
});
