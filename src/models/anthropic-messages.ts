import type Anthropic from '@anthropic-ai/sdk';
import { z } from 'zod';
import { asObject } from './messages.ts';
import type { ModelMessage, ModelRequest, ToolCall } from './provider.ts';

type Block = Anthropic.ContentBlockParam;

/** The thinking of one turn, as it came: it belongs to one model and must go back to it unchanged, and to no other. */
const thinkingSchema = z.array(
  z.union([
    z.object({ type: z.literal('thinking'), thinking: z.string(), signature: z.string() }),
    z.object({ type: z.literal('redacted_thinking'), data: z.string() }),
  ]),
);

/**
 * The conversation on Anthropic's wire: results of one turn's calls together in one user message, user text beside them
 * behind the results, never two messages of one role in a row.
 */
export function toAnthropicMessages(messages: readonly ModelMessage[], provider: string): Anthropic.MessageParam[] {
  const turns: { role: 'user' | 'assistant'; content: Block[] }[] = [];
  for (const message of messages) {
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const blocks = toBlocks(message, provider);
    if (blocks.length === 0) continue;
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else turns.push({ role, content: blocks });
  }
  return turns;
}

function toBlocks(message: ModelMessage, provider: string): Block[] {
  // An empty text block is refused.
  const text: Block[] = message.content.trim() === '' ? [] : [{ type: 'text', text: message.content }];
  if (message.role === 'user') return text;
  if (message.role === 'tool') {
    return [
      {
        type: 'tool_result',
        tool_use_id: safeId(message.callId),
        content: message.content || '(nothing)',
        ...(message.failed ? { is_error: true } : {}),
      },
    ];
  }
  const thinking = message.provider === provider ? thinkingSchema.safeParse(message.thinking) : null;
  return [
    ...(thinking?.success ? thinking.data : []),
    ...text,
    ...message.calls.map(
      (call): Block => ({
        type: 'tool_use',
        id: safeId(call.id),
        name: call.name,
        input: asObject(call.arguments),
      }),
    ),
  ];
}

/** Ids may hold letters, digits, `_` and `-` only; other providers' ids may hold more. */
const safeId = (id: string): string => id.replace(/[^A-Za-z0-9_-]/g, '_') || '_';

/**
 * The tools of a request. When none are offered any more but the conversation holds calls, the names of those are
 * declared and forbidden by `tool_choice: none`: without declarations such a conversation is refused.
 */
export function toAnthropicTools(
  request: ModelRequest,
): Pick<Anthropic.MessageCreateParamsStreaming, 'tools' | 'tool_choice'> {
  if (request.tools.length > 0) {
    return {
      tools: request.tools.map((tool) => ({
        name: tool.name,
        description: tool.description,
        input_schema: { ...withoutDialect(tool.parameters), type: 'object' },
      })),
    };
  }
  const names = new Set(
    request.messages.flatMap((message) => (message.role === 'assistant' ? message.calls.map((call) => call.name) : [])),
  );
  if (names.size === 0) return {};
  return {
    tools: [...names].map((name) => ({
      name,
      description: 'not available any more',
      input_schema: { type: 'object' },
    })),
    tool_choice: { type: 'none' },
  };
}

function withoutDialect({ $schema: _, ...schema }: Record<string, unknown>): Record<string, unknown> {
  return schema;
}

/** A call as it was streamed; null when its arguments are no JSON object, as when a bridge runs several calls together. */
export function toCall(id: string, name: string, json: string, given: unknown): ToolCall | null {
  if (json.trim() === '') return { id, name, arguments: asObject(given) };
  try {
    const parsed: unknown = JSON.parse(json);
    // Some gateways send the arguments as an array of one.
    const value = Array.isArray(parsed) && parsed.length === 1 ? parsed[0] : parsed;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { id, name, arguments: value } : null;
  } catch {
    return null;
  }
}
