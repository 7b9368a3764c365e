import { appendFileSync, chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { loadConfig } from '../../src/config/load.ts';
import { loadConfigQuickly } from '../../src/config/load-quickly.ts';
import { configOf, options, problemsOf, temporaryFolder } from './folder.ts';

const folder = temporaryFolder();
const text = `
mode: act
services:
  api: { manager: systemd, checks: [{ http: "http://127.0.0.1:1/", warn: 500ms }, { disk: /, warn: 80% }] }
`;
let caches = 0;
const withCache = () => {
  const cache = join(folder.path, `cache-${++caches}`);
  const there = () => readdirSync(join(cache, 'nightshift')).map((name) => join(cache, 'nightshift', name));
  return { options: { ...options, environment: { XDG_CACHE_HOME: cache } }, there };
};

it('gives the same from what it kept as from the file, readable by its owner alone', async () => {
  const file = folder.write('same.yaml', text);
  const { options: own, there } = withCache();
  const slow = loadConfig(file, own);
  expect(await loadConfigQuickly(file, own)).toEqual(slow);
  const [place, ...more] = there();
  expect(more).toEqual([]);
  expect(statSync(place ?? expect.fail()).mode & 0o777).toBe(0o600);
  const before = statSync(place ?? '').mtimeMs;
  expect(await loadConfigQuickly(file, own)).toEqual(slow);
  expect(statSync(place ?? '').mtimeMs).toBe(before);
});

it('reads the file anew when it has changed, also to something wrong', async () => {
  const file = folder.write('changing.yaml', text);
  const { options: own, there } = withCache();
  await loadConfigQuickly(file, own);
  writeFileSync(file, text.replace('act', 'observe'));
  expect(configOf(await loadConfigQuickly(file, own)).mode).toBe('observe');
  writeFileSync(file, text.replace('act', 'atc'));
  expect(problemsOf(await loadConfigQuickly(file, own))[0]?.path).toBe('mode');
  expect(there()).toHaveLength(1);
});

it('believes nothing that others could have written, nor what is damaged', async () => {
  const file = folder.write('poison.yaml', text);
  const { options: own, there } = withCache();
  await loadConfigQuickly(file, own);
  const place = there()[0] ?? expect.fail();
  const { deserialize, serialize } = await import('node:v8');
  const { key } = z.object({ key: z.string() }).parse(deserialize(readFileSync(place)));
  const forged = serialize({ key, config: { services: new Map(), stateFolder: '/forged' } });
  writeFileSync(place, forged);
  expect(configOf(await loadConfigQuickly(file, own)).stateFolder).toBe('/forged');
  chmodSync(place, 0o666);
  expect(configOf(await loadConfigQuickly(file, own)).stateFolder).not.toBe('/forged');
  writeFileSync(place, forged.subarray(0, 40));
  expect(configOf(await loadConfigQuickly(file, own)).services.size).toBe(2);
  writeFileSync(place, '');
  appendFileSync(place, 'x'.repeat(500));
  expect(configOf(await loadConfigQuickly(file, own)).services.size).toBe(2);
});

it('keeps nothing of a file it warned about, and goes on when nothing can be kept', async () => {
  const secret = folder.write(
    'secret.yaml',
    'services: { a: { manager: systemd, environment: { PASSWORD: made-up } } }\n',
  );
  const { options: own, there } = withCache();
  const loaded = await loadConfigQuickly(secret, own);
  expect(loaded.ok && loaded.warnings).toHaveLength(1);
  expect(there).toThrow(/ENOENT/);
  const blocked = folder.write('blocked', '');
  const file = folder.write('fine.yaml', text);
  const nowhere = { ...options, environment: { XDG_CACHE_HOME: blocked } };
  expect((await loadConfigQuickly(file, nowhere)).ok).toBe(true);
});
