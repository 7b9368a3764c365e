import { z } from 'zod';
import type { Tool, ToolContext } from '../../tools/tool.ts';
import { messageOf } from '../base/outcome.ts';
import { checkArguments } from './arguments.ts';
import type { LoopTool, LoopToolResult } from './run.ts';

/** What came of a call, in words for the model. */
interface Acted {
  ok: boolean;
  content: string;
}

interface ToolboxOptions {
  tools: readonly Tool[];
  context: ToolContext;
  /** Replaces secrets and personal data, before anything is recorded or shown. */
  redact: (text: string) => string;
  /** Takes what a model wants done: to the guard, or onto a plan. Without it acting tools are left out. */
  act?: (tool: Tool, args: Record<string, unknown>) => Promise<Acted>;
}

/** Tools as the loop takes them: arguments checked, results redacted, actions handed on and never run here. */
export function createToolbox({ tools, context, redact, act }: ToolboxOptions): { tools: LoopTool[] } {
  const shown = (tool: Tool, args: Record<string, unknown>, { ok, content }: Acted): LoopToolResult => ({
    ok,
    content: redact(content),
    title: titleOf(tool.name, args),
  });

  return {
    tools: tools
      .filter((tool) => tool.risk === 'read' || act !== undefined)
      .map((tool): LoopTool => {
        const schema = tool.input(context.scope, context.config);
        // What has passed the check may be transformed by then, and would not pass it again.
        const passed = new WeakMap<object, Record<string, unknown>>();
        return {
          name: tool.name,
          description: tool.description,
          parameters: parametersOf(schema),
          acts: tool.risk !== 'read',
          check(given) {
            const checked = checkArguments(tool.name, schema, given);
            if (!checked.ok) return checked;
            passed.set(checked.value, checked.value);
            return { ...checked, title: titleOf(tool.name, checked.value) };
          },
          async run(value, signal) {
            const args = typeof value === 'object' && value !== null ? passed.get(value) : undefined;
            if (!args) return { ok: false, content: `${tool.name} was given arguments that were not checked` };
            try {
              if (tool.risk !== 'read') {
                return shown(
                  tool,
                  args,
                  act ? await act(tool, args) : { ok: false, content: 'nothing may be done here' },
                );
              }
              return shown(tool, args, await tool.run(args, { ...context, signal }));
            } catch (error) {
              return shown(tool, args, { ok: false, content: `${tool.name} broke off: ${messageOf(error)}` });
            }
          },
        };
      }),
  };
}

/** A tool's arguments as JSON Schema, as a model fills them in: what has a default may be left out. */
function parametersOf(schema: z.ZodObject): Record<string, unknown> {
  const { $schema: _, ...parameters } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
  });
  return { ...parameters, type: 'object', properties: parameters.properties ?? {}, additionalProperties: false };
}

/** `logs(api, 10m)`. */
function titleOf(tool: string, args: Record<string, unknown>): string {
  const values = Object.entries(args)
    .filter(([name, value]) => value !== undefined && value !== null && value !== '' && name !== 'reason')
    .map(([, value]) => (typeof value === 'object' ? JSON.stringify(value) : String(value)));
  const text = values.join(', ');
  return `${tool}(${text.length > 80 ? `${text.slice(0, 80)}…` : text})`;
}
