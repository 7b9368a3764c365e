import type { ModelMessage, ToolDefinition } from './provider.ts';

/**
 * A call's arguments as an object, which both wires insist on when a conversation is sent again: text is parsed, an array of one
 * is opened. Anything else becomes `{}`; what the model really gave stands in the tool's complaint that follows it.
 */
export function asObject(given: unknown): Record<string, unknown> {
  let value = given;
  if (typeof value === 'string') {
    try {
      value = JSON.parse(value);
    } catch {
      return {};
    }
  }
  if (Array.isArray(value) && value.length === 1) [value] = value;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** Characters that a request holds at least: its texts, without arguments, schemas and the wire's own syntax. */
export function leastCharacters(request: {
  system: string;
  messages: readonly ModelMessage[];
  tools: readonly ToolDefinition[];
}): number {
  let characters = request.system.length;
  for (const message of request.messages) characters += message.content.length;
  for (const tool of request.tools) characters += tool.name.length + tool.description.length;
  return characters;
}
