import type { z } from 'zod';
import type { PathPart } from './problem.ts';

type Schema = z.core.$ZodType;
const definition = (schema: Schema) => (schema as z.core.$ZodTypes)._zod.def;

/** What a schema stands for once defaults, options and transforms are taken off. A union stands for each of its options. */
function bare(schema: Schema): Schema[] {
  const def = definition(schema);
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'readonly':
    case 'catch':
      return bare(def.innerType);
    case 'pipe':
      return bare(def.in);
    case 'union':
      return def.options.flatMap(bare);
    default:
      return [schema];
  }
}

function step(schema: Schema, part: PathPart): Schema[] {
  const def = definition(schema);
  if (def.type === 'object') {
    const child = def.shape[String(part)];
    return child ? bare(child) : [];
  }
  if (def.type === 'record') return bare(def.valueType);
  if (def.type === 'array') return bare(def.element);
  return [];
}

/** The keys that an object at a path may have, as far as its schema says. */
export function keysAt(schema: Schema, path: readonly PathPart[]): string[] {
  const reached = path.reduce((schemas, part) => schemas.flatMap((each) => step(each, part)), bare(schema));
  const keys = reached.flatMap((each) => {
    const def = definition(each);
    return def.type === 'object' ? Object.keys(def.shape) : [];
  });
  return [...new Set(keys)];
}
