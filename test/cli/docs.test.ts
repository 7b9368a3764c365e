import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { packageFile } from '../../src/base/package-root.ts';
import { checkKinds, checkSchemas } from '../../src/config/checks.ts';
import { configOf } from '../support/config.ts';

const text = (name: string): string => readFileSync(packageFile(name), 'utf8');

const examplesOf = (name: string): string[] =>
  [...text(name).matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');

/** A list of checks is shown alone; it stands under a service. */
const whole = (example: string): string =>
  example.startsWith('- ')
    ? `services:\n  api:\n    manager: systemd\n    checks:\n${example.replace(/^(?=.)/gm, '      ')}`
    : example;

test.each(checkKinds)('docs/checks.md has a section for %s, with an example and all of its settings', (kind) => {
  const section = new RegExp(`^### ${kind}\\n([\\s\\S]*?)(?=^##)`, 'm').exec(text('docs/checks.md'))?.[1] ?? '';
  expect(section).toMatch(new RegExp(`^\`\`\`yaml\\n- ${kind}:`, 'm'));
  const common = new Set(['name', 'every', 'within', 'fails', 'of', 'as']);
  const own = Object.keys(checkSchemas[kind].shape).filter((setting) => !common.has(setting));
  expect(own.filter((setting) => !section.includes(setting))).toEqual([]);
});

test.each(['docs/checks.md', 'README.md'])('every YAML example of %s loads without a problem', (name) => {
  const examples = examplesOf(name);
  expect(examples.length).toBeGreaterThan(0);
  for (const example of examples) expect(() => configOf(whole(example)), example).not.toThrow();
});

test('README.md and the help name the same verbs', async () => {
  const { examples } = await import('../../src/cli/help.ts');
  const readme = text('README.md');
  expect(Object.keys(examples).filter((verb) => !readme.includes(verb))).toEqual([]);
});
