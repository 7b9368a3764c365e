import type { Verb } from '../verb.ts';

/** Prints the JSON Schema of nightshift.yaml. */
const schema: Verb = async ({ terminal }) => {
  const { configJsonSchema } = await import('../../config/json-schema.ts');
  terminal.line(JSON.stringify(configJsonSchema(), null, 2));
  return 0;
};
export default schema;
