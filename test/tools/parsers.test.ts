import { describe, expect, test } from 'vitest';
import type { FileFacts } from '../../src/hosts/host.ts';
import { parseLookup } from '../../tools/look/dns-lookup.ts';
import { parseLsofOpen } from '../../tools/look/open-files.ts';
import { parseInfo } from '../../tools/look/redis-state.ts';
import { foldersOf } from '../../tools/shared/cgroup.ts';
import { difference } from '../../tools/shared/diff.ts';
import { parseDeletedLinks, parseDf, parseDu, parseInodes, parseLsofDeleted } from '../../tools/shared/disk.ts';
import { linesSince, telling } from '../../tools/shared/kernel.ts';
import { parseMacLoad } from '../../tools/shared/load.ts';
import { hideSecrets } from '../../tools/shared/mask.ts';
import { parseDpkg } from '../../tools/shared/packages.ts';
import { parsePs, parseTop } from '../../tools/shared/processes.ts';
import { newestFirst } from '../../tools/shared/releases.ts';
import { mayWrite, parseRights } from '../../tools/shared/runs-as.ts';

describe('rights', () => {
  const status = 'Name:\tnode\nUid:\t1000\t1000\t1000\t1000\nGid:\t1001\t1001\t1001\t33\nGroups:\t27 44 \n';
  const facts = (owner: number, group: number, mode: number): FileFacts => ({
    path: '/x',
    kind: 'file',
    sizeBytes: 0,
    modifiedAt: 0,
    inode: 1,
    owner,
    group,
    mode,
  });

  test('of a process, as the kernel tells them', () => {
    expect(parseRights(status)).toEqual({ user: 1000, groups: [33, 27, 44] });
    expect(parseRights(status.replace('27 44 ', ' ').concat('NStgid:\t9\n'))).toEqual({ user: 1000, groups: [33] });
    expect(parseRights('')).toBeNull();
  });

  test('to write: as owner, as member, as anybody, in that order and no other', () => {
    const who = { user: 1000, groups: [33, 27] };
    expect(mayWrite(who, facts(1000, 0, 0o200))).toBe(true);
    expect(mayWrite(who, facts(1000, 33, 0o022))).toBe(false);
    expect(mayWrite(who, facts(0, 27, 0o775))).toBe(true);
    expect(mayWrite(who, facts(0, 27, 0o702))).toBe(false);
    expect(mayWrite(who, facts(0, 0, 0o755))).toBe(false);
    expect(mayWrite(who, facts(0, 0, 0o777))).toBe(true);
    expect(mayWrite({ user: 0, groups: [0] }, facts(1000, 1000, 0o500))).toBe(true);
    const half = { user: 501, groups: null };
    expect(mayWrite(half, facts(0, 20, 0o775))).toBeNull();
    expect(mayWrite(half, facts(0, 20, 0o755))).toBe(false);
  });
});

describe('processes', () => {
  test('ps of Linux: names with spaces, days of age, and not the ps itself', () => {
    const rows = parsePs(
      [
        '      1       0     0 Ss       12-03:04:05 20088  0.4 /sbin/init splash',
        '   4711       1  1000 Tl            02:10 88412 81.5 node /srv/my app/server.js --title (x) 1 2',
        '   4712    4711  1000 Z             00:01     0  0.0 [node] <defunct>',
        '   9999    4711  1000 R             00:00  3200  0.0 ps -axww -o pid=,ppid=,uid=,stat=,etime=,rss=,pcpu=,args=',
        'garbage',
      ].join('\n'),
    );
    expect(rows.map(({ pid, state }) => `${pid}${state}`)).toEqual(['1S', '4711T', '4712Z']);
    expect(rows[0]?.ageMs).toBe((((12 * 24 + 3) * 60 + 4) * 60 + 5) * 1000);
    expect(rows[1]).toMatchObject({
      parent: 1,
      user: 1000,
      rssBytes: 88412 * 1024,
      cpuPercent: 81.5,
      command: 'node /srv/my app/server.js --title (x) 1 2',
    });
  });

  test('ps of macOS', () => {
    const [row] = parsePs(
      '  501     1   501 S+   01-02:03:04  123456   3.4 /Applications/Mail.app/Contents/MacOS/Mail -psn 1',
    );
    expect(row).toMatchObject({
      pid: 501,
      user: 501,
      state: 'S',
      cpuPercent: 3.4,
      command: '/Applications/Mail.app/Contents/MacOS/Mail -psn 1',
    });
  });

  test('top of Linux: the second table counts, and columns are found by name', () => {
    const table = (cpu: string) =>
      `top - 03:41:02 up 56 min\n%Cpu(s):  0.0 us\n\n    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND\n   4711 app       20   0   52096  20964   6336 R  ${cpu}   0.1   0:16.43 node\n`;
    expect(parseTop(table('1.0') + table('98.7'))).toEqual(new Map([[4711, 98.7]]));
    expect(parseTop('top: unknown option -- w')).toEqual(new Map());
  });

  test('top of macOS', () => {
    const table = (cpu: string) =>
      `Processes: 400 total\nCPU usage: 5.0% user, 5.0% sys, 90.0% idle\n\nPID    %CPU\n412    ${cpu}\n1      0.0\n`;
    expect(parseTop(table('0.0') + table('44.2')).get(412)).toBe(44.2);
  });
});

describe('disks', () => {
  const df = `Filesystem     1024-blocks      Used Available Capacity Mounted on
devtmpfs          12334524         0  12334524       0% /dev
/dev/vda         264212084  23813960  82576952      23% /
tmpfs                65536     65536         0     100% /mnt/my disk
/dev/loop3          113536    113536         0     100% /snap/core/1
`;
  test('df of Linux: the fullest first, what cannot be freed left out, mount points with blanks', () => {
    expect(parseDf(df).map(({ mount, usedPercent }) => [mount, Math.round(usedPercent)])).toEqual([
      ['/mnt/my disk', 100],
      ['/', 22],
    ]);
  });

  test('df of macOS, blocks and inodes', () => {
    const mac = `Filesystem   1024-blocks      Used Available Capacity iused      ifree %iused  Mounted on
/dev/disk3s1s1   971350180  10485760 412345678     3%  404167 4123456780    0%   /
devfs                  200       200         0   100%     692          0  100%   /dev
/dev/disk3s5     971350180 540000000 412345678    57% 2404167 4123456780    0%   /System/Volumes/Data
map auto_home            0         0         0   100%       0          0     -   /System/Volumes/Data/home
`;
    expect(parseInodes(mac, 'darwin').get('/')).toMatchObject({ free: 4123456780 });
    const plain = mac.replace(/\s+\d+\s+\d+\s+(\d+%|-)\s+\//g, ' /');
    expect(parseDf(plain).map(({ mount }) => mount)).toEqual(['/System/Volumes/Data', '/']);
  });

  test('inodes of Linux; a file system without a number of its own has none', () => {
    const inodes = parseInodes(
      'Filesystem Inodes IUsed IFree IUse% Mounted on\n/dev/vda 1000 990 10 99% /\nbtrfs 0 0 0 - /data\n',
      'linux',
    );
    expect(inodes).toEqual(new Map([['/', { percent: 99, free: 10 }]]));
  });

  test('du: largest first, without the root, names with blanks whole', () => {
    expect(parseDu('12\t/a/b c\n900\t/a/d\n1000\t/a\n', '/a')).toEqual([
      { path: '/a/d', amount: 900 * 1024 },
      { path: '/a/b c', amount: 12 * 1024 },
    ]);
  });

  test('deleted files from /proc: what lives in memory is no disk space', () => {
    const links =
      '/proc/12/fd/3\t/var/log/x y.log (deleted)\n/proc/12/fd/4\t/memfd:wayland (deleted)\n/proc/13/fd/5\t/dev/shm/a (deleted)\n/proc/14/fd/1\tpipe:[1]\n';
    expect(parseDeletedLinks(links)).toEqual([{ descriptor: '/proc/12/fd/3', pid: 12, path: '/var/log/x y.log' }]);
  });

  test('deleted files from lsof (macOS)', () => {
    const output = 'p812\ncnode\nf22\ns104857600\nn/private/var/log/app.log\nf23\nn/dev/null\n';
    expect(parseLsofDeleted(output)).toEqual([
      { pid: 812, program: 'node', sizeBytes: 104857600, path: '/private/var/log/app.log' },
      { pid: 812, program: 'node', sizeBytes: 0, path: '/dev/null' },
    ]);
  });
});

describe('machine', () => {
  test('load of macOS: the last measurement of top counts', () => {
    const top = 'CPU usage: 50.0% user, 20.0% sys, 30.0% idle\nCPU usage: 5.12% user, 10.25% sys, 84.61% idle\n';
    expect(parseMacLoad(top, '8\n{ 2,10 2.31 2.40 }\n')).toEqual({
      busyPercent: expect.closeTo(15.39),
      cores: 8,
      load: [2.1, 2.31, 2.4],
    });
    expect(parseMacLoad('', '')).toEqual({ busyPercent: null, cores: null, load: [] });
  });

  test('control groups of version 2 and 1; the root group is nobody', () => {
    expect(foldersOf('0::/system.slice/api.service\n').unified).toBe('/sys/fs/cgroup/system.slice/api.service');
    expect(foldersOf('4:memory:/docker/abc\n1:cpu,cpuacct:/\n0::/\n')).toEqual({
      unified: null,
      memory: '/sys/fs/cgroup/memory/docker/abc',
      cpu: null,
      pids: null,
    });
    expect(foldersOf('0::/../../etc\n').unified).toBeNull();
  });

  test('kernel messages: trouble only, and of the time that is asked for', () => {
    const log = [
      '2026-11-21T02:00:00,000000+00:00 Out of memory: Killed process 1 (old)',
      '2026-11-21T03:00:00,123456+00:00 usb 1-1: new device',
      '2026-11-21T03:00:01,123456+00:00 Memory cgroup out of memory: Killed process 12444 (tail) total-vm:9992kB',
      ' a line that goes on: I/O error, dev sda',
      '2026-11-21T03:00:02,000000+00:00 EXT4-fs (sda1): Remounting filesystem read-only',
    ].join('\n');
    const since = Date.parse('2026-11-21T02:59:00Z');
    expect(telling(linesSince(log, since)).map(({ kind }) => kind)).toEqual(['oom', 'disk', 'read-only']);
  });

  test('open files: only numbered descriptors count', () => {
    const output =
      'p9\nfcwd\ntDIR\nn/srv\nftxt\ntREG\nn/usr/bin/node\nf3\ntREG\nn/srv/a.log\nf4\ntIPv4\nn127.0.0.1:80->127.0.0.1:9\nf5\ntPIPE\nn->0x1\n';
    expect(parseLsofOpen(output)).toEqual(['/srv/a.log', 'socket:127.0.0.1:80->127.0.0.1:9', 'pipe:->0x1']);
  });

  test('names looked up on a far host, Linux and macOS', () => {
    expect(parseLookup('10.0.0.7        STREAM db.internal\n10.0.0.7        DGRAM\n::1  RAW\n')).toEqual([
      '10.0.0.7',
      '::1',
    ]);
    expect(parseLookup('name: db.internal\nip_address: 10.0.0.7\nipv6_address: fe80::1\n')).toEqual([
      '10.0.0.7',
      'fe80::1',
    ]);
  });

  test('packages: in the zone of their machine, and none whose time cannot be read', () => {
    const log = '2026-11-21 03:00:00 install a:all <none> 1\n2026-99-21 03:00:00 install b:all <none> 1\n';
    const at = (zone: string) => parseDpkg(log, Date.parse('2026-11-21T02:30:00Z'), zone);
    expect(at('+0000')).toEqual(['2026-11-21 03:00:00 install a 1']);
    expect(at('+0100')).toEqual([]);
    expect(at('-0800')).toHaveLength(1);
  });

  test('packages: newest first, only since then', () => {
    const log =
      '2026-11-19 10:00:00 upgrade old:amd64 1 2\n2026-11-21 03:01:07 upgrade nginx:amd64 1.22.0 1.22.1\n2026-11-21 03:01:08 status installed nginx:amd64 1.22.1\n2026-11-21 03:02:00 remove redis:amd64 7.0 <none>\n';
    expect(parseDpkg(log, Date.parse('2026-11-20T00:00:00'))).toEqual([
      '2026-11-21 03:02:00 remove redis 7.0',
      '2026-11-21 03:01:07 upgrade nginx 1.22.0 -> 1.22.1',
    ]);
  });

  test('INFO of Redis: values with colons, headings left out', () => {
    expect([...parseInfo('# Server\r\nredis_version:7.0.15\r\nexecutable:/usr/bin:x\r\n')]).toEqual([
      ['redis_version', '7.0.15'],
      ['executable', '/usr/bin:x'],
    ]);
  });
});

describe('differences', () => {
  test('shows what changed with its surroundings and where it stands', () => {
    const result = difference('a\nb\nc\nd\ne\nf\n', 'a\nb\nX\nd\ne\nf\ng\n');
    expect(result).toMatchObject({ added: 2, removed: 1 });
    expect(result.text).toBe('@@ line 2 @@\n b\n-c\n+X\n d\n@@ line 6 @@\n f\n+g');
  });

  test('the same, empty, and entirely new', () => {
    expect(difference('a\n', 'a\n')).toEqual({ added: 0, removed: 0, text: '' });
    expect(difference('', 'a\nb\n').text).toBe('@@ line 1 @@\n+a\n+b');
    const many = (word: string) => Array.from({ length: 3000 }, (_, index) => `${word}${index}`).join('\n');
    expect(difference(many('a'), many('b'))).toEqual({ added: 3000, removed: 3000, text: null });
  });
});

describe('hiding secrets', () => {
  // Made at run time, so that nothing in the repository looks like one.
  const secret = `${'hunter'.split('').reverse().join('')}-${'9'.repeat(6)}x`;
  test.each([
    [`+DB_PASSWORD=${secret}`, '+DB_PASSWORD=[hidden]'],
    [`-  "api_key": "${secret}",`, '-  "api_key": "[hidden]",'],
    [`password: ${secret}`, 'password: [hidden]'],
    [`requirepass ${secret}`, 'requirepass [hidden]'],
    [`node server.js --token ${secret} --port 80`, 'node server.js --token [hidden] --port 80'],
    [`node server.js --db-password=${secret}`, 'node server.js --db-password=[hidden]'],
    [`DATABASE_URL=postgres://app:${secret}@db/app`, 'DATABASE_URL=postgres://app:[hidden]@db/app'],
    [`node -- x --password ${secret} -v`, 'node -- x --password [hidden] -v'],
    [`client mode password ${secret}`, 'client mode password [hidden]'],
    [`a=--token=${secret} b`, 'a=--token=[hidden] b'],
    ['cat /run/app/token now', 'cat /run/app/token now'],
    ['ssl_certificate_key /etc/nginx/site.key;', 'ssl_certificate_key /etc/nginx/site.key;'],
    [' max_connections = 100', ' max_connections = 100'],
    [`+${'QUJ1'.repeat(16)}`, '+[hidden]'],
  ])('%#', (line, expected) => {
    const hidden = hideSecrets(line);
    expect(hidden).not.toContain(secret);
    expect(hidden).toBe(expected);
  });

  test('in an environment file every long value that looks like a key is hidden', () => {
    const key = `${'a1B2'.repeat(6)}`;
    expect(hideSecrets(`STRIPE=${key}`, { strict: true })).toBe('STRIPE=[hidden]');
    expect(hideSecrets('URL=http://127.0.0.1:8080/some/path', { strict: true })).toContain('8080');
  });
});

test('releases: by name where names are numbered alike, else by time', () => {
  const release = (name: string, modifiedAt: number) => ({ name, path: `/r/${name}`, modifiedAt });
  expect(
    newestFirst([release('v1.9.0', 9), release('v1.10.0', 1), release('v1.2.0', 5)]).map(({ name }) => name),
  ).toEqual(['v1.10.0', 'v1.9.0', 'v1.2.0']);
  expect(newestFirst([release('blue', 1), release('green', 2)]).map(({ name }) => name)).toEqual(['green', 'blue']);
  expect(newestFirst([release('3f2a', 1), release('a91c', 5), release('77', 3)]).map(({ name }) => name)).toEqual([
    'a91c',
    '77',
    '3f2a',
  ]);
});
