import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { openStore, STORE_FILE } from '../../src/store/open.ts';
import { takeWatchLock } from '../../src/store/watch-lock.ts';
import { draft, freshStore, intent, manualClock, mustOpen, result, temporaryFolder } from './support.ts';

const DAY = 86_400_000;

/** A process of its own, up to the first line it prints. */
async function child(what: string, folder: string): Promise<{ process: ChildProcess; line: string }> {
  const started = spawn(process.execPath, [join(import.meta.dirname, 'child.ts'), what, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void started.kill('SIGKILL'));
  const [line] = await once(createInterface({ input: started.stdout }), 'line');
  return { process: started, line: String(line) };
}

async function kill(started: ChildProcess): Promise<void> {
  const ended = once(started, 'exit');
  started.kill('SIGKILL');
  await ended;
}

/** A folder with a store of three incidents, and a backup made when there were two. */
async function stocked() {
  const { store, folder, clock } = freshStore();
  store.incidents.open(draft({ service: 'one' }), { type: 'opened', text: 'one' });
  store.incidents.open(draft({ service: 'two' }), { type: 'opened', text: 'two' });
  const backup = await store.backup();
  if (!backup.ok) throw new Error(backup.error);
  store.incidents.open(draft({ service: 'three' }), { type: 'opened', text: 'three' });
  store.health.record(Array.from({ length: 300 }, (_, index) => result(`a/c${index}`, { value: index })));
  store.close();
  return { folder, clock, file: join(folder, STORE_FILE), backup: backup.value };
}

test('folder and files are for nobody else; a folder that was there keeps its mode', () => {
  const root = temporaryFolder();
  const store = mustOpen(join(root, 'new', 'state'));
  store.settings.set('x', 1);
  const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
  expect(mode(join(root, 'new', 'state'))).toBe('700');
  expect(['', '-wal', '-shm'].map((suffix) => mode(join(root, 'new', 'state', STORE_FILE + suffix)))).toEqual([
    '600',
    '600',
    '600',
  ]);
  store.close();
  mkdirSync(join(root, 'shared'));
  chmodSync(join(root, 'shared'), 0o755);
  mustOpen(join(root, 'shared')).close();
  expect(mode(join(root, 'shared'))).toBe('755');
});

test('a store that a newer Nightshift wrote is refused and left as it is', () => {
  const { store, folder } = freshStore();
  store.close();
  const raw = new Database(join(folder, STORE_FILE));
  raw.pragma('user_version = 99');
  raw.close();
  for (const readOnly of [false, true]) {
    const opened = openStore(folder, { clock: manualClock(), readOnly });
    expect(opened).toMatchObject({
      ok: false,
      error: expect.stringContaining('written by a newer Nightshift (schema 99'),
    });
  }
  expect(readdirSync(folder).filter((name) => name.includes('damaged'))).toEqual([]);
});

const damages: Record<string, (file: string) => void> = {
  'something else': (file) => writeFileSync(file, '<html><body>502 Bad Gateway</body></html>\n'.repeat(200)),
  'cut off': (file) => truncateSync(file, 3 * 4096 + 100),
  'cut off in its samples': (file) => truncateSync(file, statSync(file).size - 4096),
  'cut to nothing': (file) => truncateSync(file, 0),
  'a garbage page': (file) => {
    const bytes = readFileSync(file);
    // Every page but the first, which holds the schema.
    for (let page = 4096; page < bytes.length; page += 4096) bytes.fill(0xa5, page, page + 4096);
    writeFileSync(file, bytes);
  },
  'a garbage header': (file) => {
    const bytes = readFileSync(file);
    bytes.fill(0xff, 20, 4000);
    writeFileSync(file, bytes);
  },
};

for (const [name, damage] of Object.entries(damages)) {
  test(`a damaged file (${name}) is set aside and the newest backup restored, aloud`, async () => {
    const { folder, clock, file } = await stocked();
    damage(file);
    const spoilt = readFileSync(file);
    const readOnly = openStore(folder, { clock, readOnly: true });
    if (!name.startsWith('cut') && readOnly.ok) expect(() => readOnly.value.incidents.list()).toThrow('is damaged');
    if (readOnly.ok) readOnly.value.close();

    const store = mustOpen(folder, clock);
    expect(store.warnings).toHaveLength(1);
    expect(store.warnings[0]).toContain('restored from the backup of 2026-11-20T12:00:00.000Z');
    expect(store.incidents.list().map((incident) => incident.service)).toEqual(['two', 'one']);
    expect(readFileSync(`${file}.damaged-2026-11-20T12-00-00Z`)).toEqual(spoilt);
    store.incidents.open(draft(), { type: 'opened', text: 'goes on' });
    store.close();
    const again = mustOpen(folder, clock);
    expect(again.warnings).toEqual([]);
    expect(again.incidents.list()).toHaveLength(3);
    again.close();
  });
}

test('without a whole backup a new store is started, and the damaged backup is not', async () => {
  const { folder, clock, file, backup } = await stocked();
  writeFileSync(file, 'not a database, and long enough to be none'.repeat(100));
  writeFileSync(String(backup), 'neither is this');
  const store = mustOpen(folder, clock);
  expect(store.warnings[0]).toContain('no whole backup: a new one was started');
  expect(store.incidents.list()).toEqual([]);
  store.close();
  expect(existsSync(`${file}.damaged-2026-11-20T12-00-00Z`)).toBe(true);
});

test('while a watch runs, nobody sets its store aside', async () => {
  const { folder, clock, file } = await stocked();
  const watch = await child('lock', folder);
  writeFileSync(file, 'spoilt'.repeat(1000));
  expect(openStore(folder, { clock })).toMatchObject({
    ok: false,
    error: expect.stringContaining('a running watch holds it'),
  });
  expect(readFileSync(file, 'utf8').startsWith('spoilt')).toBe(true);
  await kill(watch.process);
  const lock = takeWatchLock(folder);
  const store = mustOpen(folder, clock);
  expect(store.warnings).toHaveLength(1);
  store.close();
  expect(takeWatchLock(folder).ok).toBe(false);
  if (lock.ok) lock.value.release();
});

test('a backup is made once a day, three are kept, and a damaged store pushes none of them out', async () => {
  const { store, folder, clock } = freshStore();
  const names = () => readdirSync(join(folder, 'backups')).sort();
  for (let day = 0; day < 5; day += 1) {
    expect(await store.backup()).toMatchObject({ ok: true, value: expect.stringContaining('.sqlite') });
    expect(await store.backup()).toEqual({ ok: true, value: null });
    clock.advance(DAY);
  }
  const kept = names();
  expect(kept).toEqual(['22', '23', '24'].map((day) => `nightshift-2026-11-${day}T12-00-00Z.sqlite`));
  expect(statSync(join(folder, 'backups', kept[0] ?? '')).mode & 0o777).toBe(0o600);
  store.health.record(Array.from({ length: 2000 }, (_, index) => result(`a/c${index}`, { value: index })));
  store.close();

  const file = join(folder, STORE_FILE);
  const bytes = readFileSync(file);
  // The last pages hold results: no precious table, so the store opens.
  bytes.fill(0x5a, bytes.length - 20 * 4096);
  writeFileSync(file, bytes);
  const again = mustOpen(folder, clock);
  expect(again.warnings).toEqual([]);
  expect(await again.backup()).toMatchObject({ ok: false, error: expect.stringContaining('may be damaged') });
  expect(names()).toEqual(kept);
  again.close();
});

test('a full disk is said in words, and loses nothing that was kept', () => {
  const { store, folder } = freshStore();
  store.incidents.open(draft(), { type: 'opened', text: 'kept' });
  store.close();
  // SQLite answers a page limit as it answers a full disk: SQLITE_FULL.
  const clock = manualClock();
  const opened = openStore(folder, { clock, maxPages: 80 });
  if (!opened.ok) throw new Error(opened.error);
  const full = opened.value;
  const fill = () => {
    for (let index = 0; index < 10_000; index += 1)
      full.health.record([result(`a/c${index}`, { value: 1, summary: 'x'.repeat(500) })]);
  };
  expect(fill).toThrow(/the disk that holds .*nightshift\.sqlite is full/);
  expect(() => full.incidents.append(1, { type: 'note', text: 'x'.repeat(1_000_000) }, { state: 'acting' })).toThrow(
    'is full',
  );
  expect(full.incidents.get(1)?.state).toBe('open');
  expect(full.incidents.timeline(1).map((entry) => entry.text)).toEqual(['kept']);
  full.close();
  const again = mustOpen(folder, clock);
  again.health.record([result('a/new')]);
  expect(again.health.latest().map((each) => each.check)).toContain('a/new');
  again.close();
});

test('a store that cannot be written to is refused in words, and can still be read', async () => {
  const { folder } = await stocked();
  chmodSync(join(folder, STORE_FILE), 0o444);
  chmodSync(folder, 0o555);
  onTestFinished(() => chmodSync(folder, 0o700));
  const write = await child('write-as-nobody', folder);
  expect(write.line).toMatch(/^failed: .*(cannot be written to|cannot be opened)/);
  const read = await child('read-as-nobody', folder);
  expect(read.line).toBe('read 3 incidents, 1 entries');
  expect(readdirSync(folder).sort()).toEqual(['backups', STORE_FILE]);
});

test('a reader sees what a running writer has not yet moved out of its WAL, also from a folder it cannot write to', async () => {
  const { store, folder } = freshStore();
  store.incidents.open(draft(), { type: 'opened', text: 'in the WAL' });
  expect(statSync(join(folder, `${STORE_FILE}-wal`)).size).toBeGreaterThan(0);
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o444);
  chmodSync(folder, 0o555);
  onTestFinished(() => chmodSync(folder, 0o700));
  const read = await child('read-as-nobody', folder);
  expect(read.line).toBe('read 1 incidents, 1 entries');
});

test('reading makes nothing: no folder, no file', () => {
  const folder = join(temporaryFolder(), 'never');
  const store = mustOpen(folder, manualClock(), { readOnly: true });
  expect([store.incidents.list(), store.health.latest(), store.settings.get('last-cycle')]).toEqual([[], [], null]);
  expect(() => store.settings.set('x', 1)).toThrow('cannot be written to');
  store.close();
  expect(existsSync(folder)).toBe(false);
});

test('kill -9 in the middle of an action leaves its intent, and everything before it', async () => {
  const folder = temporaryFolder();
  const acting = await child('act', folder);
  const before = mustOpen(folder);
  expect(before.actions.unfinished()).toHaveLength(1);
  expect(before.actions.abandoned?.()).toEqual([]);
  before.close();
  await kill(acting.process);
  const store = mustOpen(folder, manualClock(Date.now()));
  expect(store.actions.abandoned?.()).toMatchObject([{ incident: 1, state: 'intended', tool: intent().tool }]);
  expect(store.incidents.get(1)?.state).toBe('open');
  store.close();
});

test('one watch per folder: the second hears the pid of the first, and kill -9 frees the lock', async () => {
  const folder = temporaryFolder();
  const first = await child('lock', folder);
  expect(first.line).toBe('ready');
  const second = takeWatchLock(folder);
  expect(second).toMatchObject({ ok: false, error: expect.stringContaining(`(pid ${first.process.pid})`) });
  await kill(first.process);
  const third = takeWatchLock(folder);
  expect(third.ok).toBe(true);
  expect(takeWatchLock(folder)).toMatchObject({ ok: false, error: expect.stringContaining(`(pid ${process.pid})`) });
  if (third.ok) third.value.release();
  const fourth = takeWatchLock(folder);
  expect(fourth.ok).toBe(true);
  if (fourth.ok) fourth.value.release();
});

test('a state folder that cannot be made is a message', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'file'), '');
  expect(openStore(join(folder, 'file', 'state'), { clock: manualClock() })).toMatchObject({
    ok: false,
    error: expect.stringContaining('cannot be written to'),
  });
  mkdirSync(join(folder, STORE_FILE));
  expect(openStore(folder, { clock: manualClock() }).ok).toBe(false);
  rmSync(join(folder, STORE_FILE), { recursive: true });
});
