import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createToolbox } from '../../src/agent/toolbox.ts';
import { duration } from '../../src/config/units.ts';
import { defineTool, type Tool, type ToolContext } from '../../tools/tool.ts';

const signal = new AbortController().signal;
/** Only what these tools look at; anything else would throw. */
const context = { scope: { services: ['api', 'cache'], hosts: ['local'] }, signal } as unknown as ToolContext;

const logs = defineTool({
  name: 'logs',
  description: 'reads logs',
  risk: 'read',
  input: (scope) =>
    z.object({
      service: z.enum(scope.services),
      lines: z.int().min(1).max(500).default(100),
      since: duration.optional(),
      all: z.boolean().optional(),
    }),
  output: z.unknown(),
  run: async (args) => ({
    ok: true,
    content: `${args.service} ${args.lines} ${args.since ?? '-'} secret-x`,
    details: { lines: args.lines },
  }),
});
const restart = defineTool({
  name: 'restart',
  description: 'restarts',
  risk: 'disruptive',
  input: (scope) => z.object({ service: z.enum(scope.services), reason: z.string() }),
  output: z.unknown(),
  run: async () => {
    throw new Error('an action must never be run from here');
  },
});
const toolbox = (act?: (tool: Tool, args: Record<string, unknown>) => Promise<{ ok: boolean; content: string }>) =>
  createToolbox({
    tools: [logs, restart] as Tool[],
    context,
    redact: (text) => text.replace('secret-x', '[secret]'),
    act,
  });

const called = (name: string, box = toolbox()) => {
  const tool = box.tools.find((each) => each.name === name);
  if (!tool) throw new Error(`no tool ${name}`);
  return tool;
};

describe('the toolbox', () => {
  it('gives the schema as a model fills it in', () => {
    expect(called('logs').parameters).toMatchObject({
      type: 'object',
      required: ['service'],
      additionalProperties: false,
      properties: { service: { enum: ['api', 'cache'] }, lines: { default: 100, minimum: 1, maximum: 500 } },
    });
    expect(called('logs').parameters).not.toHaveProperty('$schema');
  });

  it('runs what was checked, transformed once, and redacted', async () => {
    const box = toolbox();
    const tool = called('logs', box);
    const checked = tool.check({ service: 'api', since: '5m' });
    expect(checked).toMatchObject({ ok: true, title: 'logs(api, 100, 300000)' });
    if (!checked.ok) return;
    expect(await tool.run(checked.value, signal)).toMatchObject({
      ok: true,
      content: 'api 100 300000 [secret]',
      title: 'logs(api, 100, 300000)',
    });
    expect(await tool.run({ service: 'api; rm -rf /' }, signal)).toMatchObject({ ok: false });
  });

  it.each([
    ['text', '{"service":"api","lines":"20","all":"true","since":null}', 20],
    ['an array of one', [{ service: 'api', lines: 20 }], 20],
  ])('mends arguments given as %s', (_, given, lines) => {
    expect(called('logs').check(given)).toMatchObject({ ok: true, value: { service: 'api', lines } });
  });

  it.each([
    [{ service: 'apu' }, /"service" was "apu"; it must be one of api, cache\. Did you mean "api"\?/],
    [{}, /"service" is missing/],
    [{ service: 'api', lines: 9999 }, /"lines" was 9999; it must be at most 500/],
    [{ service: 'api', lnes: 5 }, /no argument "lnes" \(did you mean "lines"\?\)\. It takes: service, lines/],
    [{ service: 'api', since: 'later' }, /"since" was "later": a duration such as 2s/],
    ['tail -f', /one JSON object.*"tail -f"/],
  ])('says what was wrong with %j', (given, message) => {
    expect(called('logs').check(given)).toEqual({ ok: false, message: expect.stringMatching(message) });
  });

  it('hands actions on and never runs them, and has none when nobody takes them', async () => {
    expect(toolbox().tools.map((tool) => tool.name)).toEqual(['logs']);
    const asked: unknown[] = [];
    const box = toolbox(async (tool, args) => {
      asked.push([tool.name, args]);
      return { ok: false, content: 'refused: three restarts this hour, secret-x' };
    });
    const tool = called('restart', box);
    expect(tool.acts).toBe(true);
    const checked = tool.check({ service: 'cache', reason: 'it is gone' });
    if (!checked.ok) throw new Error(checked.message);
    expect(checked.title).toBe('restart(cache)');
    expect(await tool.run(checked.value, signal)).toMatchObject({
      ok: false,
      content: 'refused: three restarts this hour, [secret]',
    });
    expect(asked).toEqual([['restart', { service: 'cache', reason: 'it is gone' }]]);
  });

  it('turns a tool that throws into a failed call', async () => {
    const broken = { ...logs, run: async () => Promise.reject(new Error('EIO: secret-x')) };
    const [tool] = createToolbox({
      tools: [broken as Tool],
      context,
      redact: (text) => text.replace('secret-x', '[secret]'),
    }).tools;
    const checked = tool?.check({ service: 'api' });
    if (!tool || !checked?.ok) throw new Error('not checked');
    expect(await tool.run(checked.value, signal)).toMatchObject({
      ok: false,
      content: 'logs broke off: EIO: [secret]',
    });
  });
});
