import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createSecrets } from '../../src/config/secret.ts';
import { temporaryFolder } from './folder.ts';

const folder = temporaryFolder();
const value = randomBytes(8).toString('hex');

it('reads references to the environment and to files, trimmed', () => {
  const file = folder.write('key', `  ${value}\n`);
  chmodSync(file, 0o600);
  const warnings: string[] = [];
  const secrets = createSecrets({ KEY: `${value}\n`, HOME: folder.path }, folder.path, {
    warn: (text) => warnings.push(text),
  });
  expect(['env:KEY', `file:${file}`, 'file:./key', 'file:key', 'file:~/key'].map(secrets)).toEqual(
    Array(5).fill(value),
  );
  expect(warnings).toEqual([]);
});

it('takes up a file that has changed', () => {
  const secrets = createSecrets({}, folder.path);
  folder.write('turning', 'one');
  expect(secrets('file:turning')).toBe('one');
  folder.write('turning', 'two');
  expect(secrets('file:turning')).toBe('two');
});

it.each([
  ['env:NOT_SET', /env:NOT_SET.*NOT_SET is not set; set it/],
  ['env:EMPTY', /is empty/],
  ['file:./nowhere', /file:\.\/nowhere.*cannot be read.*create it/],
  ['file:.', /it is not a file/],
  ['file:blank', /is empty; write the secret/],
])('says what is wrong with %s and what to do', (reference, expected) => {
  folder.write('blank', ' \n');
  expect(() => createSecrets({ EMPTY: ' ' }, folder.path)(reference)).toThrow(expected);
});

it('does not repeat what is no reference: it may be the secret', () => {
  const ask = () => createSecrets({}, folder.path)(value);
  expect(ask).toThrow(/a reference such as env:NAME/);
  expect(ask).not.toThrow(value);
});

it('warns once of a file that every user can read', () => {
  chmodSync(folder.write('open', value), 0o644);
  const warnings: string[] = [];
  const secrets = createSecrets({}, folder.path, { warn: (text) => warnings.push(text) });
  secrets('file:open');
  secrets('file:open');
  expect(warnings).toEqual([expect.stringMatching(/^file:open: every user.*chmod 600/)]);
});
