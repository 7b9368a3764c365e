import { readFileSync } from 'node:fs';
import { packageFile } from '../base/package-root.ts';

/** What a model is told, from `prompts/NAME.md`. */
interface Prompt {
  name: string;
  /** Goes up with every change of the text, so that results can be told apart. */
  version: string;
  /** The names of its `{{slots}}`. */
  slots: string[];
  /** Fills every slot. A slot without a value, or a value without a slot, is a bug and throws. */
  fill(values: Record<string, string>): string;
}

const slot = /\{\{\s*([a-z][a-z_]*)\s*\}\}/g;

/** Reads one of the prompts that ship with Nightshift. */
export const loadPrompt = (name: string): Prompt =>
  parsePrompt(name, readFileSync(packageFile('prompts', `${name}.md`), 'utf8'));

/** Markdown with front matter that says `version:`, and a text with named slots. Comments (`<!-- -->`) are not sent. */
export function parsePrompt(name: string, source: string): Prompt {
  const match = /^---\r?\n([\s\S]*?)\r?\n---\r?\n([\s\S]*)$/.exec(source);
  const version = /^version:\s*(\S+)\s*$/m.exec(match?.[1] ?? '')?.[1];
  if (match?.[2] === undefined || version === undefined) {
    throw new Error(`prompts/${name}.md must begin with front matter that has a version`);
  }
  const text = match[2].replace(/<!--[\s\S]*?-->\n?/g, '').trim();
  const slots = [...new Set([...text.matchAll(slot)].map((each) => each[1] ?? ''))];
  return {
    name,
    version,
    slots,
    fill(values) {
      const unknown = Object.keys(values).filter((key) => !slots.includes(key));
      const unfilled = slots.filter((key) => values[key] === undefined);
      if (unknown.length > 0) throw new Error(`prompts/${name}.md has no slot {{${unknown.join('}}, {{')}}}`);
      if (unfilled.length > 0)
        throw new Error(`prompts/${name}.md: nothing was given for {{${unfilled.join('}}, {{')}}}`);
      // One pass: a value that looks like a slot is not filled in turn.
      return text.replace(slot, (_, key: string) => values[key] ?? '');
    },
  };
}
