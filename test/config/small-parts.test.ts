import { expect, it } from 'vitest';
import { findConfig } from '../../src/config/find.ts';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { editDistance, nearest } from '../../src/config/nearest.ts';
import { pathText, renderProblems } from '../../src/config/problem.ts';
import { temporaryFolder } from './folder.ts';

const folder = temporaryFolder();

it('finds the file that was named, else the nearest one', () => {
  const where = { directory: `${folder.path}/work`, home: `${folder.path}/home`, platform: 'linux' };
  expect(findConfig('x.yaml', where)).toBe(`${folder.path}/work/x.yaml`);
  expect(findConfig('~/x.yaml', where)).toBe(`${folder.path}/home/x.yaml`);
  expect(findConfig('/x.yaml', where)).toBe('/x.yaml');
  const inHome = folder.write('home/.config/nightshift/nightshift.yaml', '');
  expect(findConfig(undefined, where)).toBe(inHome);
  const yml = folder.write('work/nightshift.yml', '');
  expect(findConfig(undefined, where)).toBe(yml);
  const yaml = folder.write('work/nightshift.yaml', '');
  expect(findConfig(undefined, where)).toBe(yaml);
});

it('measures how far words are apart', () => {
  expect(editDistance('within', 'within')).toBe(0);
  expect(editDistance('evrey', 'every')).toBe(1);
  expect(editDistance('', 'abc')).toBe(3);
  expect(editDistance('kitten', 'sitting')).toBe(3);
});

it('names the nearest word, and none when none is near', () => {
  expect(nearest('Depends-On', ['depends_on', 'drain'])).toBe('depends_on');
  expect(nearest('chekcs', ['checks', 'clear'])).toBe('checks');
  expect(nearest('timeout', ['every', 'within'])).toBe('within');
  expect(nearest('banana', ['every', 'within'])).toBeNull();
  expect(nearest('', ['every'])).toBeNull();
  expect(nearest('x', ['a', 'b'])).toBeNull();
});

it('writes paths as people would', () => {
  expect(pathText(['services', 'api', 'checks', 0, 'within'])).toBe('services.api.checks[0].within');
  expect(pathText(['services', 'a.b', 'host'])).toBe('services["a.b"].host');
});

it('keeps carets below what is meant on long lines and behind tabs, and breaks long messages', () => {
  const source = `\t${'a'.repeat(150)}: WRONG # ${'z'.repeat(80)}`;
  const place = { line: 1, column: source.indexOf('WRONG') + 1, length: 5 };
  const text = renderProblems([{ file: 'f', place, path: 'p', source, message: 'word '.repeat(40).trim() }], {
    colour: false,
  });
  const [, line = '', carets = ''] = text.split('\n');
  expect(line.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1)).toBe('WRONG');
  for (const each of text.split('\n')) expect(each.length).toBeLessThanOrEqual(101);
});

it('names a file from the working folder', () => {
  const problem = { file: '/srv/app/nightshift.yaml', place: null, path: '', source: null, message: 'm' };
  expect(renderProblems([problem], { colour: false, directory: '/srv/app' })).toBe('nightshift.yaml\n    m');
  expect(renderProblems([problem], { colour: false, directory: '/srv/ap' })).toMatch(/^\/srv\/app/);
});

it('adds colour only when asked', () => {
  const problem = { file: 'f', place: { line: 1, column: 1, length: 1 }, path: 'p', source: 'x', message: 'm' };
  const coloured = renderProblems([problem], { colour: true });
  expect(coloured).toContain('\u001b[');
  const bare = coloured.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g'), '');
  expect(bare).toBe(renderProblems([problem], { colour: false }));
});

it('gives editors a JSON Schema that says what each key is and allows no other', () => {
  const schema = JSON.parse(JSON.stringify(configJsonSchema()));
  expect(schema.additionalProperties).toBe(false);
  expect(schema.required).toBeUndefined();
  expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(['mode', 'services', 'machine', 'models']));
  expect(schema.properties.mode.enum).toEqual(['observe', 'propose', 'act']);
  const service = schema.properties.services.additionalProperties;
  expect(service.additionalProperties).toBe(false);
  expect(service.properties.hold.description).toMatch(/how long/);
  expect(service.properties.checks.items.anyOf).toHaveLength(18);
});
