import { asObject } from './messages.ts';
import { toOllamaParameters } from './ollama-schema.ts';
import type { ModelRequest, ToolDefinition } from './provider.ts';

/** A message as /api/chat takes it: `content` a string, `arguments` an object. */
interface OllamaMessage {
  role: string;
  content: string;
  thinking?: string;
  tool_calls?: { id: string; function: { name: string; arguments: Record<string, unknown> } }[];
  tool_name?: string;
  tool_call_id?: string;
}

/** The conversation on Ollama's wire. Thinking goes back only to the provider it came from. */
export function toOllamaMessages(request: ModelRequest, provider: string): OllamaMessage[] {
  const messages: OllamaMessage[] = request.system ? [{ role: 'system', content: request.system }] : [];
  for (const message of request.messages) {
    if (message.role === 'user') messages.push({ role: 'user', content: message.content });
    else if (message.role === 'tool') {
      // Some of the server's renderers look for the name, some for the id.
      messages.push({ role: 'tool', content: message.content, tool_name: message.name, tool_call_id: message.callId });
    } else {
      const thinking = message.provider === provider ? message.thinking : undefined;
      messages.push({
        role: 'assistant',
        content: message.content,
        ...(typeof thinking === 'string' ? { thinking } : {}),
        ...(message.calls.length > 0
          ? {
              tool_calls: message.calls.map((call) => ({
                id: call.id,
                function: { name: call.name, arguments: asObject(call.arguments) },
              })),
            }
          : {}),
      });
    }
  }
  return messages;
}

/** Definitions are the same objects from round to round, so they are rewritten once. */
const rewritten = new WeakMap<ToolDefinition, ReturnType<typeof rewrite>>();

export const toOllamaTools = (tools: readonly ToolDefinition[]) =>
  tools.map((tool) => {
    const known = rewritten.get(tool) ?? rewrite(tool);
    rewritten.set(tool, known);
    return known;
  });

const rewrite = (tool: ToolDefinition) => ({
  type: 'function',
  function: { name: tool.name, description: tool.description, parameters: toOllamaParameters(tool.parameters) },
});
