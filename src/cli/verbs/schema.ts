import { configJsonSchema } from '../../config/json-schema.ts';
import type { Verb } from '../verb.ts';

/** Prints the JSON Schema of nightshift.yaml. */
const schema: Verb = async ({ terminal }) => {
  terminal.line(JSON.stringify(configJsonSchema(), null, 2));
  return 0;
};
export default schema;
