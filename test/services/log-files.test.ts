import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { createLocalHost } from '../../src/hosts/local.ts';
import { readLogFiles } from '../../src/services/log-files.ts';
import { stampOf, zoneOffsetOf } from '../../src/services/log-time.ts';
import { errorOf, unwrap } from './fixture.ts';

const host = createLocalHost(systemClock);
const at = (time: string) => Date.parse(`2026-05-04T${time}Z`);
const line = (time: string, text: string) => `2026-05-04T${time}.000Z ${text}\n`;

describe('stampOf', () => {
  const reference = Date.parse('2026-05-04T12:00:00Z');
  const expected = Date.parse('2026-05-04T10:20:30Z');
  it.each([
    ['2026-05-04T10:20:30Z started', true],
    ['[2026-05-04T12:20:30.000+02:00] INFO x', true],
    ['2026-05-04 10:20:30,000 - root - ERROR', false],
    ['2026/05/04 10:20:30 [error] 12#12: *1 connect() failed', false],
    ['10.0.0.1 - - [04/May/2026:10:20:30 +0000] "GET / HTTP/1.1" 200 5', true],
    ['1234:M 04 May 2026 10:20:30.000 * Ready to accept connections', false],
    ['[Mon May 04 10:20:30.000000 2026] [core:error] AH00126', false],
    ['May  4 10:20:30 host sshd[12]: x', false],
    [`{"level":30,"time":${expected},"msg":"x"}`, true],
    [`{"ts":${expected / 1000}.0001,"msg":"x"}`, true],
    ['{"level":"info","timestamp":"2026-05-04T10:20:30Z"}', true],
  ])('reads %s', (text, zoned) => {
    expect(stampOf(text, reference)).toEqual({ time: expected, zoned });
  });

  it('takes no number for a time', () => {
    for (const text of ['    at Object.run (server.js:10:20)', 'took 1234567890123 units', 'version 10.20.30', '']) {
      expect(stampOf(text, reference)).toBeNull();
    }
  });

  it('puts a line without a year into the past', () => {
    const january = Date.parse('2026-01-02T00:00:00Z');
    expect(stampOf('Dec 31 23:59:59 host x', january)?.time).toBe(Date.parse('2025-12-31T23:59:59Z'));
  });

  it('finds the zone of a program from when its file was written', () => {
    const written = Date.parse('2026-05-04T10:20:30Z');
    const own = -new Date(written).getTimezoneOffset() * 60_000;
    expect(zoneOffsetOf(written + 5.5 * 3_600_000 - 200, written)).toBe(5.5 * 3_600_000);
    expect(zoneOffsetOf(written + own - 1000, written)).toBe(own);
    expect(zoneOffsetOf(written - 40 * 3_600_000, written)).toBe(own);
  });
});

describe('readLogFiles', () => {
  let folder: string;
  let count = 0;
  let path: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'logs-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => {
    count += 1;
    path = join(folder, `api-${count}.log`);
  });
  const written = (file: string, time: string) => utimesSync(file, at(time) / 1000, at(time) / 1000);
  const textsOf = async (window: Parameters<typeof readLogFiles>[2], paths = [path]) =>
    unwrap(await readLogFiles(host, paths, window)).map(({ text }) => text);

  it('gives the lines of a window, with what belongs to them', async () => {
    writeFileSync(
      path,
      `${line('10:00:00', 'a') + line('10:00:10', 'b')}  at trace\n${line('10:00:20', 'c')}${line('10:00:30', 'd')}`,
    );
    written(path, '10:00:30');
    expect(await textsOf({ since: at('10:00:10'), until: at('10:00:25') })).toEqual([
      '2026-05-04T10:00:10.000Z b\n  at trace\n2026-05-04T10:00:20.000Z c',
    ]);
    expect(await textsOf({ since: at('10:01:00') })).toEqual(['']);
  });

  it('gives a file without times only when it was written to within the window', async () => {
    writeFileSync(path, 'one\ntwo\n');
    written(path, '10:00:00');
    expect(await textsOf({ since: at('09:59:00') })).toEqual(['one\ntwo']);
    expect(await textsOf({ since: at('10:00:01') })).toEqual(['']);
  });

  it('reads only the end of a file of 1 GB, also without a line break and with NUL bytes', async () => {
    const file = openSync(path, 'w');
    ftruncateSync(file, 2 ** 30);
    writeSync(file, 'x'.repeat(5000), 2 ** 30);
    closeSync(file);
    const began = performance.now();
    const [read] = unwrap(await readLogFiles(host, [path], { maxBytes: 10_000 }));
    expect(read).toEqual({ text: 'x'.repeat(5000), source: path, truncated: true });
    appendFileSync(path, `\n${line('10:00:00', 'last')}`);
    expect(await textsOf({ maxBytes: 1000 })).toEqual(['2026-05-04T10:00:00.000Z last']);
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it('finds a window far back in a large file', async () => {
    const stamp = (index: number) => new Date(at('00:00:00') + index * 1000).toISOString();
    writeFileSync(
      path,
      Array.from({ length: 40_000 }, (_, index) => `${stamp(index)} line ${index} ${'.'.repeat(60)}\n`).join(''),
    );
    written(path, '11:06:40');
    const [text = ''] = await textsOf({ since: at('01:00:00'), until: at('01:00:09'), maxBytes: 100_000 });
    const lines = text.split('\n');
    expect([lines.length, lines[0]?.slice(25, 34), lines.at(-1)?.slice(25, 34)]).toEqual([
      10,
      'line 3600',
      'line 3609',
    ]);
  });

  it('goes on in the rotated sibling when the window begins earlier', async () => {
    writeFileSync(`${path}.1`, line('09:00:00', 'older') + line('09:59:00', 'before the rotation'));
    writeFileSync(path, line('10:00:00', 'after it'));
    written(`${path}.1`, '09:59:00');
    written(path, '10:00:00');
    expect(
      unwrap(await readLogFiles(host, [path], { since: at('09:30:00') })).map(({ source, text }) => [
        source,
        text.slice(25),
      ]),
    ).toEqual([
      [`${path}.1`, 'before the rotation'],
      [path, 'after it'],
    ]);
    expect(await textsOf({ since: at('10:00:00') })).toHaveLength(1);
  });

  it('follows links, says what it could not read, and fails only when it could read nothing', async () => {
    writeFileSync(`${path}.real`, line('10:00:00', 'x'));
    symlinkSync(`${path}.real`, path);
    const read = unwrap(await readLogFiles(host, [path, '/no/such/file.log'], {}));
    expect(read[0]?.text).toContain(' x');
    expect(read[1]?.source).toContain('/no/such/file.log does not exist');
    expect(errorOf(await readLogFiles(host, ['/no/such/file.log'], {}))).toContain('does not exist');
  });

  it('keeps within the limit over all files', async () => {
    writeFileSync(path, line('10:00:00', 'y'.repeat(80)).repeat(100));
    writeFileSync(`${path}b`, line('10:00:00', 'z'.repeat(80)).repeat(100));
    const texts = await textsOf({ maxBytes: 3000 }, [path, `${path}b`]);
    expect(Buffer.byteLength(texts.join(''))).toBeLessThanOrEqual(3000);
    expect(texts.every((text) => text.length > 1000)).toBe(true);
  });
});
