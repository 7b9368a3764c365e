import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { createLocalHost } from '../../src/hosts/local.ts';
import { listListeners, parseLsof, parseSs } from '../../src/services/listeners.ts';
import { listenersFromProc, listeningSockets, processesFromProc } from '../../src/services/proc-files.ts';
import { mainsOf } from '../../src/services/process-find.ts';
import {
  elapsedMs,
  identityOf,
  listProcesses,
  type ProcessRow,
  parseProcesses,
  parseStat,
} from '../../src/services/process-table.ts';
import { freePort, unwrap } from './fixture.ts';

const row = (pid: number, parent: number, command: string): ProcessRow => ({
  pid,
  parent,
  group: pid,
  state: 'S',
  ageMs: 0,
  command,
});

describe('the process table', () => {
  it('is read as procps and macOS print it', () => {
    const table = parseProcesses(
      '    1     0     1 Ss    25-01:02:03 /sbin/launchd\n  501     1   501 SN         01:05 /usr/libexec/x --a  b\n  502   501   501 Z           0:00 <defunct>\nnonsense\n',
    );
    expect(table).toEqual([
      { pid: 1, parent: 0, group: 1, state: 'Ss', ageMs: (25 * 86_400 + 3723) * 1000, command: '/sbin/launchd' },
      { pid: 501, parent: 1, group: 501, state: 'SN', ageMs: 65_000, command: '/usr/libexec/x --a  b' },
      { pid: 502, parent: 501, group: 501, state: 'Z', ageMs: 0, command: '<defunct>' },
    ]);
    expect(elapsedMs('01:02:03')).toBe(3_723_000);
  });

  it('reads a name with parentheses and spaces in /proc/PID/stat', () => {
    const tail = `T 1 2 3 ${'0 '.repeat(15)}4711 9`;
    expect(parseStat(5, `5 (a) R (b c) ${tail}`)).toEqual({ pid: 5, began: '4711', state: 'T' });
    expect(parseStat(5, `5 (x) Z 1 2 3 ${'0 '.repeat(15)}4711 9`)).toBeNull();
    expect(parseStat(5, '')).toBeNull();
  });

  it('has this process in it, whichever way it is read', async () => {
    const host = createLocalHost(systemClock);
    const tables = [
      await listProcesses(host),
      ...(process.platform === 'linux' ? [await processesFromProc(host)] : []),
    ];
    for (const table of tables) {
      const own = unwrap(table).find(({ pid }) => pid === process.pid);
      expect(own?.parent).toBe(process.ppid);
      expect(Math.abs((own?.ageMs ?? 0) / 1000 - process.uptime())).toBeLessThan(5);
    }
    expect(unwrap(await identityOf(host, process.pid))?.pid).toBe(process.pid);
    expect(unwrap(await identityOf(host, 999_999_999))).toBeNull();
  });

  it('prefers the program to the shell around it, and the master to its workers', () => {
    const table = [
      row(10, 1, 'tmux new node server.js'),
      row(11, 10, 'sh -c node server.js'),
      row(12, 11, 'node server.js'),
      row(13, 12, 'node server.js worker'),
      row(20, 1, 'sh server.js-only-a-shell'),
    ];
    expect(mainsOf(table.slice(0, 4), table).map(({ pid }) => pid)).toEqual([12]);
    expect(mainsOf([table[4] ?? row(0, 0, '')], table).map(({ pid }) => pid)).toEqual([20]);
  });
});

describe('listeners', () => {
  it('are read as ss prints them', () => {
    expect(
      parseSs(
        'LISTEN 0      511        127.0.0.1:8080      0.0.0.0:*    users:(("nginx: worker",pid=13,fd=6),("nginx",pid=12,fd=6))\n' +
          'LISTEN 0      4096   127.0.0.53%lo:53        0.0.0.0:*\nLISTEN 0 5 [::1]:6379 [::]:* users:(("redis-server",pid=9,fd=7))\n',
      ),
    ).toEqual([
      { address: '127.0.0.1', port: 8080, pid: 13, program: 'nginx: worker' },
      { address: '127.0.0.1', port: 8080, pid: 12, program: 'nginx' },
      { address: '127.0.0.53', port: 53, pid: null, program: null },
      { address: '::1', port: 6379, pid: 9, program: 'redis-server' },
    ]);
  });

  it('are read as lsof of macOS prints them', () => {
    expect(parseLsof('p401\ncControlCe\nf9\nn*:7000\np77\ncnode\nf20\nn[::1]:3000\nf21\nn127.0.0.1:3000\n')).toEqual([
      { address: '*', port: 7000, pid: 401, program: 'ControlCe' },
      { address: '::1', port: 3000, pid: 77, program: 'node' },
      { address: '127.0.0.1', port: 3000, pid: 77, program: 'node' },
    ]);
  });

  it('are read from /proc/net/tcp', () => {
    const table =
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n' +
      '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0\n' +
      '   1: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 100 0 0 10 0\n' +
      '   2: 00000000000000000000000001000000:18EB 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 4713 1\n';
    expect([...listeningSockets(table)]).toEqual([
      ['4711', { address: '127.0.0.1', port: 8080 }],
      ['4713', { address: '::1', port: 6379 }],
    ]);
  });

  it('of this machine have ours among them', async () => {
    const host = createLocalHost(systemClock);
    const { createServer } = await import('node:net');
    const port = await freePort();
    const server = createServer().listen(port, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const lists = [await listListeners(host), ...(process.platform === 'linux' ? [await listenersFromProc(host)] : [])];
    server.close();
    for (const list of lists) {
      expect(unwrap(list).find((listener) => listener.port === port)).toMatchObject({
        address: '127.0.0.1',
        pid: process.pid,
      });
    }
  });
});
