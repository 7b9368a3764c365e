import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createGoodCopies } from '../../src/services/good-copies.ts';
import { manualClock, temporaryFolder } from './support.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

/** Every file below a folder, with its mode. */
function tree(folder: string): { path: string; mode: number }[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => ({
    path: join(folder, name),
    mode: statSync(join(folder, name)).mode & 0o777,
  }));
}

function fresh() {
  const folder = temporaryFolder();
  const clock = manualClock();
  return { folder, clock, copies: createGoodCopies({ folder, clock }) };
}

test('the last three distinct versions are kept, newest first, as they were', () => {
  const { folder, clock, copies } = fresh();
  const versions = ['one', 'two', 'two', 'three', 'one', 'four'];
  for (const version of versions) {
    copies.keep('api', '/etc/api/.env', bytes(version));
    clock.advance(1000);
  }
  const list = copies.list('api', '/etc/api/.env');
  expect(list.map((each) => new TextDecoder().decode(copies.read(each.id)))).toEqual(['four', 'one', 'three']);
  expect(list[0]).toMatchObject({
    at: clock.now() - 1000,
    sizeBytes: 4,
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(tree(join(folder, 'good-copies')).filter((each) => !statSync(each.path).isDirectory())).toHaveLength(4);
  expect(copies.list('api', '/etc/api/other')).toEqual([]);
  expect(copies.list('other', '/etc/api/.env')).toEqual([]);
});

test('bytes stay bytes, for nobody else to read, also for a later process', () => {
  const { folder, clock, copies } = fresh();
  const raw = Uint8Array.from({ length: 256 }, (_, index) => index);
  copies.keep('api', '/a/b', raw);
  copies.keep('api', '/a/empty', new Uint8Array());
  const later = createGoodCopies({ folder, clock });
  expect(later.list('api', '/a/b').map((each) => later.read(each.id))).toEqual([raw]);
  expect(later.list('api', '/a/empty').map((each) => later.read(each.id).length)).toEqual([0]);
  for (const each of tree(join(folder, 'good-copies')))
    expect(each.mode).toBe(statSync(each.path).isDirectory() ? 0o700 : 0o600);
});

test('a file of more than 1 MB is refused, and what was kept stays', () => {
  const { copies } = fresh();
  copies.keep('api', '/a', bytes('small'));
  expect(() => copies.keep('api', '/a', new Uint8Array(1024 * 1024 + 1))).toThrow('up to 1048576');
  expect(copies.list('api', '/a')).toHaveLength(1);
});

test('a damaged copy is never handed out, nor anything outside the folder', () => {
  const { folder, copies } = fresh();
  copies.keep('api', '/a', bytes('good'));
  const [copy] = copies.list('api', '/a');
  const file = tree(join(folder, 'good-copies')).find((each) => each.path.endsWith(copy?.sha256 ?? '?'))?.path ?? '';
  expect(readFileSync(file, 'utf8')).toBe('good');
  writeFileSync(file, 'evil');
  expect(() => copies.read(copy?.id ?? '')).toThrow('is damaged');
  for (const id of ['../../etc/passwd', `${'0'.repeat(32)}-../x`, ''])
    expect(() => copies.read(id)).toThrow('there is no good copy');
});

test('a damaged index loses the list, not the keeping', () => {
  const { folder, copies } = fresh();
  copies.keep('api', '/a', bytes('good'));
  const index = tree(join(folder, 'good-copies')).find((each) => each.path.endsWith('index.json'))?.path ?? '';
  writeFileSync(index, '{"versions": [{"sha256": "../../x"}]}');
  expect(copies.list('api', '/a')).toEqual([]);
  copies.keep('api', '/a', bytes('better'));
  expect(copies.list('api', '/a')).toHaveLength(1);
});
