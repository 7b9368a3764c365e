import { z } from 'zod';
import { configSchema } from './schema.ts';

/** The JSON Schema of nightshift.yaml as it is written, for editors: `# yaml-language-server: $schema=./nightshift.schema.json`. */
export function configJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // A default in milliseconds or bytes is what a duration or size becomes, not what a person may write.
      if (jsonSchema.type === 'string' && typeof jsonSchema.default === 'number') delete jsonSchema.default;
      // The bounds of a JavaScript integer only make hovers longer.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  return {
    $schema,
    title: 'nightshift.yaml',
    description: 'What Nightshift watches, and what it may do about it',
    ...schema,
  };
}
