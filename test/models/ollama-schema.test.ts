import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { toOllamaParameters } from '../../src/models/ollama-schema.ts';

/** What Ollama's own types keep of a property; everything else is lost on the way to the model. */
const kept = new Set(['anyOf', 'type', 'items', 'description', 'enum', 'properties', 'required']);

function lost(schema: unknown, path = ''): string[] {
  if (typeof schema !== 'object' || schema === null) return [`${path} is no schema`];
  return Object.entries(schema).flatMap(([key, value]) => {
    if (!kept.has(key)) return [`${path}.${key}`];
    if (key === 'properties') return Object.entries(value).flatMap(([name, each]) => lost(each, `${path}.${name}`));
    if (key === 'items') return lost(value, `${path}[]`);
    if (key === 'anyOf' && Array.isArray(value)) return value.flatMap((each, index) => lost(each, `${path}|${index}`));
    if (key === 'type' && typeof value === 'object' && !Array.isArray(value)) return [`${path}.type`];
    return [];
  });
}

describe('a schema for Ollama', () => {
  const shared = z.object({ host: z.enum(['local', 'pc']) });
  const schema = z.object({
    service: z.enum(['api', 'cache']).describe('which one'),
    lines: z.int().min(1).max(500).default(100),
    level: z.literal('error').optional(),
    since: z.union([z.string(), z.int()]).optional(),
    from: shared,
    to: shared,
    what: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('pid'), pid: z.int() }),
      z.object({ kind: z.literal('port'), port: z.int().max(65_535) }),
    ]),
    words: z.array(z.string().min(2)).max(5),
    maybe: z.string().nullable(),
  });

  it.each(['inline', 'ref'] as const)(
    'holds nothing that Ollama would drop, and loses nothing that matters (%s)',
    (reused) => {
      const result = toOllamaParameters(z.toJSONSchema(schema, { io: 'input', reused }));
      expect(Object.entries(result.properties).flatMap(([name, each]) => lost(each, name))).toEqual([]);
      expect(result.properties).toMatchObject({
        service: { type: 'string', enum: ['api', 'cache'], description: 'which one' },
        lines: { type: 'integer', description: '(from 1 to 500, default 100)' },
        level: { type: 'string', enum: ['error'] },
        from: { type: 'object', properties: { host: { enum: ['local', 'pc'] } }, required: ['host'] },
        to: { type: 'object', properties: { host: { enum: ['local', 'pc'] } } },
        words: {
          type: 'array',
          items: { type: 'string', description: '(at least 2 characters)' },
          description: '(at most 5 items)',
        },
      });
      expect(result.properties.what).toMatchObject({
        anyOf: [
          { properties: { kind: { enum: ['pid'] } } },
          { properties: { port: { description: '(at most 65535)' } } },
        ],
      });
      expect(result.required).not.toContain('lines');
    },
  );

  it('ends on a schema that holds itself, and on true where a schema should be', () => {
    const recursive = { type: 'object', properties: { child: { $ref: '#' }, any: true } };
    const result = toOllamaParameters(recursive);
    expect(result.properties.any).toEqual({ type: 'object' });
    expect(JSON.stringify(result).length).toBeLessThan(10_000);
    expect(toOllamaParameters({})).toEqual({ type: 'object', properties: {}, required: [] });
  });
});
