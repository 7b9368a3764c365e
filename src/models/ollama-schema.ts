/** Plain JSON Schema, as far as it is looked at here. */
type Schema = Record<string, unknown>;

/** What Ollama keeps of a property; it drops everything else without a word (api/types.go of its source). */
const DEEPEST = 8;

/**
 * Rewrites a tool's JSON Schema into the part that Ollama passes on to a model. References are put in place, `oneOf` and
 * discriminated unions become `anyOf`, `const` becomes an enum of one, and ranges, lengths, patterns and defaults are said in words
 * in the description. A tool without arguments gets empty `properties`, without which its calls cannot be parsed.
 */
export function toOllamaParameters(parameters: Schema): {
  type: string;
  properties: Record<string, Schema>;
  required: string[];
} {
  const root = parameters;
  const properties: Record<string, Schema> = {};
  for (const [name, property] of Object.entries(asSchema(root.properties))) {
    properties[name] = simplify(property, root, 0);
  }
  const required = Array.isArray(root.required) ? root.required.filter((name) => typeof name === 'string') : [];
  return { type: 'object', properties, required };
}

function simplify(given: unknown, root: Schema, depth: number): Schema {
  // `true` as a schema makes Ollama refuse the whole request.
  if (!isSchema(given) || depth > DEEPEST) return { type: 'object' };
  const schema = merged(resolve(given, root), root);
  const result: Schema = {};
  const union = unionOf(schema);
  if (union) {
    const options = union.map((option) => simplify(option, root, depth + 1));
    if (options.length === 1) Object.assign(result, options[0]);
    else result.anyOf = options;
  }
  if (typeof schema.type === 'string' || Array.isArray(schema.type)) result.type = schema.type;
  if ('const' in schema) Object.assign(result, { type: schema.type ?? typeOf(schema.const), enum: [schema.const] });
  if (Array.isArray(schema.enum)) result.enum = schema.enum;
  if (isSchema(schema.items)) result.items = simplify(schema.items, root, depth + 1);
  if (isSchema(schema.properties)) {
    result.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, property]) => [name, simplify(property, root, depth + 1)]),
    );
    if (Array.isArray(schema.required) && schema.required.length > 0) result.required = schema.required;
  }
  const words = inWords(schema);
  const description = [schema.description, words].filter((part) => typeof part === 'string' && part !== '').join(' ');
  if (description) result.description = description;
  return result;
}

/** What the schema says that Ollama would drop, for the model to read. */
function inWords(schema: Schema): string {
  const words: string[] = [];
  const low = bound(schema.minimum ?? schema.exclusiveMinimum);
  const high = bound(schema.maximum ?? schema.exclusiveMaximum);
  if (low !== null && high !== null) words.push(`from ${low} to ${high}`);
  else if (low !== null) words.push(`at least ${low}`);
  else if (high !== null) words.push(`at most ${high}`);
  if (typeof schema.minLength === 'number') words.push(`at least ${schema.minLength} characters`);
  if (typeof schema.maxLength === 'number') words.push(`at most ${schema.maxLength} characters`);
  if (typeof schema.minItems === 'number') words.push(`at least ${schema.minItems} items`);
  if (typeof schema.maxItems === 'number') words.push(`at most ${schema.maxItems} items`);
  if (typeof schema.pattern === 'string' && schema.pattern.length <= 80) words.push(`matching ${schema.pattern}`);
  if ('default' in schema) words.push(`default ${JSON.stringify(schema.default)}`);
  return words.length > 0 ? `(${words.join(', ')})` : '';
}

/** Bounds that only say "an integer" (plus or minus 2^53) are left out. */
const bound = (value: unknown): number | null =>
  typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : null;

function unionOf(schema: Schema): unknown[] | null {
  if (Array.isArray(schema.anyOf)) return schema.anyOf;
  if (Array.isArray(schema.oneOf)) return schema.oneOf;
  return null;
}

/** The members of an `allOf` as one schema, properties together. */
function merged(schema: Schema, root: Schema): Schema {
  if (!Array.isArray(schema.allOf)) return schema;
  const { allOf, ...own } = schema;
  const result: Schema = { ...own };
  for (const part of allOf) {
    if (!isSchema(part)) continue;
    const { properties, required, ...rest } = merged(resolve(part, root), root);
    Object.assign(result, rest, own);
    if (isSchema(properties)) result.properties = { ...asSchema(result.properties), ...properties };
    if (Array.isArray(required)) {
      result.required = [...(Array.isArray(result.required) ? result.required : []), ...required];
    }
  }
  return result;
}

function resolve(schema: Schema, root: Schema): Schema {
  let current = schema;
  for (let hops = 0; typeof current.$ref === 'string' && hops < DEEPEST; hops += 1) {
    const { $ref, ...own } = current;
    let target: unknown = root;
    for (const step of String($ref).replace(/^#\/?/, '').split('/').filter(Boolean)) {
      target = isSchema(target) ? target[decodeURIComponent(step).replace(/~1/g, '/').replace(/~0/g, '~')] : undefined;
    }
    if (!isSchema(target)) return { ...own, type: 'object' };
    current = { ...target, ...own };
  }
  return current;
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const asSchema = (value: unknown): Schema => (isSchema(value) ? value : {});

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Number.isInteger(value)) return 'integer';
  return typeof value;
}
