import { describe, expect, it } from 'vitest';
import { distinctiveText, nameOfCommand, splitCommand, withoutSecrets } from '../../../src/services/discover/argv.ts';
import {
  containerOfCgroup,
  findContainers,
  parseDockerPs,
  publishedPorts,
} from '../../../src/services/discover/docker.ts';
import { findJobs } from '../../../src/services/discover/launchd.ts';
import { findListeners, parseLsof, parseProcNet, parseSs } from '../../../src/services/discover/listeners.ts';
import { findDisks, findMemory } from '../../../src/services/discover/machine.ts';
import { createNames } from '../../../src/services/discover/naming.ts';
import { findPm2, parseJlist } from '../../../src/services/discover/pm2.ts';
import { findPrograms } from '../../../src/services/discover/supervisor.ts';
import { findUnits, unitOfCgroup } from '../../../src/services/discover/systemd.ts';
import { scriptedHost } from './scripted-host.ts';

describe('listening ports', () => {
  it('reads ss, with and without owners, in every form of address', () => {
    const found =
      parseSs(`LISTEN 0      511        127.0.0.1:16379      0.0.0.0:*    users:(("redis-server",pid=6072,fd=6)) ino:5541 sk:2 cgroup:/system.slice/redis-server.service <->
LISTEN 0      4096   127.0.0.53%lo:53         0.0.0.0:*    uid:101 ino:1 sk:3 cgroup:/system.slice/systemd-resolved.service <->
LISTEN 0      511                *:8080             *:*    users:(("nginx: worker",pid=12,fd=3),("nginx",pid=11,fd=3))
LISTEN 0      128             [::]:22            [::]:*
ESTAB  0      0          127.0.0.1:1          127.0.0.1:2
nonsense
`);
    expect(found).toEqual([
      {
        address: '127.0.0.1',
        port: 16379,
        pids: [6072],
        program: 'redis-server',
        cgroup: '/system.slice/redis-server.service',
      },
      { address: '127.0.0.53', port: 53, pids: [], program: null, cgroup: '/system.slice/systemd-resolved.service' },
      { address: '*', port: 8080, pids: [12, 11], program: 'nginx: worker', cgroup: null },
      { address: '::', port: 22, pids: [], program: null, cgroup: null },
    ]);
  });

  it('reads lsof, where a process has many lines', () => {
    expect(
      parseLsof(
        'p501\ncnode\nf20\nn127.0.0.1:3000\nf21\nn[::1]:3000\np502\ncpostgres\nf7\nn*:5432\np503\ncpostgres\nf7\nn*:5432\n',
      ),
    ).toEqual([
      { address: '127.0.0.1', port: 3000, pids: [501], program: 'node', cgroup: null },
      { address: '::1', port: 3000, pids: [501], program: 'node', cgroup: null },
      { address: '*', port: 5432, pids: [502, 503], program: 'postgres', cgroup: null },
    ]);
  });

  it('reads what the kernel says itself', () => {
    const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:A1B2 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 3
`;
    expect(parseProcNet(table).map(({ address, port }) => [address, port])).toEqual([
      ['127.0.0.1', 8080],
      ['::', 80],
    ]);
  });

  it('falls back from ss to lsof to the kernel, and says what that costs', async () => {
    const withLsof = await findListeners(scriptedHost({ commands: { lsof: 'p1\ncx\nn*:80\n' } }), 'linux');
    expect([withLsof.items.length, withLsof.notes]).toEqual([1, [expect.stringMatching(/ss is not there/)]]);
    const bare = await findListeners(scriptedHost({ files: { '/proc/net/tcp': '' } }), 'linux');
    expect(bare.notes[0]).toMatch(/install iproute2/);
    const nobody = await findListeners(scriptedHost({ commands: { lsof: { exitCode: 1 } } }), 'darwin');
    expect(nobody).toEqual({ items: [], notes: [] });
  });
});

describe('systemd', () => {
  const unit = (id: string, state: string, sub: string, type = 'simple', pid = 0) =>
    `Type=${type}\nMainPID=${pid}\nId=${id}\nDescription=About ${id}\nActiveState=${state}\nSubState=${sub}\n`;

  it('keeps what runs or has failed and is a service, and tells of failed jobs', async () => {
    const show = [
      unit('nginx.service', 'active', 'running', 'forking', 11),
      unit('myapp.service', 'failed', 'failed'),
      unit('flapping.service', 'activating', 'auto-restart'),
      unit('backup.service', 'failed', 'failed', 'oneshot'),
      unit('systemd-journald.service', 'active', 'running', 'notify', 3),
      unit('getty@tty1.service', 'active', 'running'),
      unit('old.service', 'inactive', 'dead'),
      unit('done.service', 'active', 'exited', 'oneshot'),
    ].join('\n');
    const found = await findUnits(
      scriptedHost({
        commands: {
          'systemctl show': show,
          'systemctl --user': unit('mine.service', 'active', 'running', 'simple', 99),
        },
      }),
    );
    expect(found.items.map(({ id, failed, mainPid, user }) => [id, failed, mainPid, user])).toEqual([
      ['nginx.service', false, 11, false],
      ['myapp.service', true, null, false],
      ['flapping.service', false, null, false],
      ['mine.service', false, 99, true],
    ]);
    expect(found.notes).toEqual([expect.stringContaining('backup.service')]);
  });

  it('is no note where it is not installed, and one where it does not run', async () => {
    expect(await findUnits(scriptedHost({}))).toEqual({ items: [], notes: [] });
    const stderr =
      "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to bus: Host is down\n";
    const found = await findUnits(scriptedHost({ commands: { systemctl: { exitCode: 1, stderr } } }));
    expect(found).toEqual({ items: [], notes: ['systemd does not run here'] });
  });

  it('tells the unit of a control group', () => {
    expect(unitOfCgroup('/system.slice/redis-server.service')).toEqual({ id: 'redis-server.service', user: false });
    expect(unitOfCgroup('/system.slice/system-postgresql.slice/postgresql@15-main.service')?.id).toBe(
      'postgresql@15-main.service',
    );
    expect(unitOfCgroup('/user.slice/user-1000.slice/user@1000.service/app.slice/my\\x2dapp.service')).toEqual({
      id: 'my-app.service',
      user: true,
    });
    expect(unitOfCgroup('/user.slice/user-1000.slice/session-3.scope')).toBeNull();
    expect(unitOfCgroup('/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.scope')).toBeNull();
  });
});

describe('containers', () => {
  const line = (name: string, state: string, status: string, more: Record<string, string> = {}) =>
    JSON.stringify({
      ID: name.padEnd(64, '0'),
      Names: name,
      Image: `${name}:1`,
      State: state,
      Status: status,
      Ports: '',
      Labels: '',
      ...more,
    });

  it('reads published ports and compose labels with commas in them', () => {
    expect(
      publishedPorts(
        '0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 9000/tcp, 0.0.0.0:7000-7002->7000-7002/tcp, 0.0.0.0:53->53/udp',
      ),
    ).toEqual([7000, 7001, 7002, 8080]);
    const labels =
      'a=b,com.docker.compose.project=shop,com.docker.compose.project.config_files=/srv/a.yml,/srv/b.yml,com.docker.compose.service=web,com.docker.compose.oneoff=False';
    const { containers, unread } = parseDockerPs(
      `${line('shop-web-1', 'running', 'Up', { Labels: labels })}\nnot json\n{"ID":1}\n`,
    );
    expect(containers[0]?.compose).toEqual({ project: 'shop', service: 'web', files: ['/srv/a.yml', '/srv/b.yml'] });
    expect(unread).toBe(2);
  });

  it('keeps what runs or broke, not what was stopped or finished', async () => {
    const ps = [
      line('a', 'running', 'Up 3 hours (healthy)'),
      line('b', 'restarting', 'Restarting (1) 2 seconds ago'),
      line('c', 'exited', 'Exited (1) 2 hours ago'),
      line('d', 'exited', 'Exited (0) 2 hours ago'),
      line('e', 'exited', 'Exited (143) 2 hours ago'),
      line('f', 'created', 'Created'),
    ].join('\n');
    const found = await findContainers(scriptedHost({ commands: { 'docker ps': ps } }));
    expect(found.items.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(found.notes).toEqual(['3 stopped containers left out']);
  });

  it.each([
    ['permission denied while trying to connect to the Docker daemon socket', /may not talk to docker/],
    [
      'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
      /daemon does not run/,
    ],
    ['something else', /cannot be seen: docker something else/],
  ])('says why none is seen: %s', async (stderr, expected) => {
    const found = await findContainers(scriptedHost({ commands: { docker: { exitCode: 1, stderr } } }));
    expect(found.notes[0]).toMatch(expected);
  });

  it('tells the container of a control group', () => {
    const id = 'ab'.repeat(32);
    expect(containerOfCgroup(`12:memory:/docker/${id}\n`)).toBe(id);
    expect(containerOfCgroup(`0::/system.slice/docker-${id}.scope`)).toBe(id);
    expect(containerOfCgroup('0::/system.slice/docker.service')).toBeNull();
  });
});

describe('supervisor, pm2 and launchd', () => {
  it('keeps programs that run or should', async () => {
    const stdout = `celery                           RUNNING   pid 812, uptime 1 day, 2:03:04
web:web_00                       FATAL     Exited too quickly (process log may have details)
late                             STARTING
job                              EXITED    Nov 21 03:14 AM
off                              STOPPED   Not started
`;
    const found = await findPrograms(scriptedHost({ commands: { supervisorctl: { exitCode: 3, stdout } } }));
    expect(found.items).toEqual([
      { name: 'celery', state: 'RUNNING', pid: 812 },
      { name: 'web:web_00', state: 'FATAL', pid: null },
      { name: 'late', state: 'STARTING', pid: null },
    ]);
    expect(found.notes).toEqual(['2 stopped or finished programs of supervisor left out']);
    const none = await findPrograms(
      scriptedHost({
        commands: { supervisorctl: { exitCode: 4, stdout: 'unix:///var/run/supervisor.sock no such file\n' } },
      }),
    );
    expect(none).toEqual({ items: [], notes: ['supervisor is installed and does not run'] });
  });

  it('never asks pm2 when its daemon does not run, for that would start it', async () => {
    const host = scriptedHost({ commands: { 'pm2 jlist': '[]' } });
    await findPm2(host, [{ pid: 5, parent: 1, user: 'me', command: 'node pm2-dashboard.js' }]);
    expect(host.asked).toEqual([]);
    await findPm2(host, [{ pid: 5, parent: 1, user: 'me', command: 'PM2 v6.0.8: God Daemon (/home/me/.pm2)' }]);
    expect(host.asked).toEqual(['pm2 jlist']);
  });

  it('reads the list of pm2 behind its greeting, and joins the processes of a cluster', () => {
    const program = (pid: number, status: string) => ({
      name: 'api',
      pid,
      pm2_env: { status, NODE_ENV: 'x' },
      monit: {},
    });
    expect(
      parseJlist(
        `>>>> In-memory PM2 is out-of-date\n[PM2] hello\n${JSON.stringify([program(1, 'online'), program(2, 'online')])}`,
      ),
    ).toEqual([{ name: 'api', pids: [1, 2], status: 'online' }]);
    expect(parseJlist('garbage')).toBeNull();
    expect(parseJlist('[{"x":1}]')).toBeNull();
  });

  it('leaves Apple and the desktop out of launchd', async () => {
    const stdout =
      'PID\tStatus\tLabel\n-\t0\tcom.apple.SafariHistoryServiceAgent\n612\t0\thomebrew.mxcl.redis\n-\t78\tlocal.backup\n700\t0\tapplication.com.tinyspeck.slackmacgap.1.2\n-\t-9\tcom.example.agent\n';
    const found = await findJobs(scriptedHost({ commands: { launchctl: stdout } }), 'darwin');
    expect(found.items).toEqual([
      { label: 'homebrew.mxcl.redis', pid: 612, lastExit: 0 },
      { label: 'local.backup', pid: null, lastExit: 78 },
      { label: 'com.example.agent', pid: null, lastExit: -9 },
    ]);
  });
});

describe('disks and memory', () => {
  it('keeps file systems with data, one for each device', async () => {
    const df = `Filesystem              Type     1024-blocks     Used Available Capacity Mounted on
devtmpfs                devtmpfs    12334524        0  12334524       0% /dev
/dev/vda                ext4       264212084 23741756  82649156      23% /
/dev/vda                ext4       264212084 23741756  82649156      23% /var/lib/docker/btrfs
/dev/sdb1               xfs         10485760  9437184   1048576      90% /srv/my data
/dev/sda1               vfat          523248     5972    517276       2% /boot/efi
/dev/loop3              squashfs       65000    65000         0     100% /snap/core20/1
overlay                 overlay    264212084 23741756  82649156      23% /var/lib/docker/overlay2/x/merged
tmpfs                   tmpfs       24684096        0  24684096       0% /run
`;
    const found = await findDisks(
      scriptedHost({ commands: { 'df -PTl': { exitCode: 1, stdout: df, stderr: 'df: /x: Permission denied' } } }),
      'linux',
    );
    expect(found.items).toEqual([
      { path: '/', type: 'ext4', sizeBytes: 264212084 * 1024, usedPercent: 23 },
      { path: '/srv/my data', type: 'xfs', sizeBytes: 10485760 * 1024, usedPercent: 90 },
    ]);
  });

  it('reads the disks and the memory of a Mac', async () => {
    const df = `Filesystem     1024-blocks      Used Available Capacity  Mounted on
/dev/disk3s1s1   482797652  10234567 123456789     8%    /
devfs                  204       204         0   100%    /dev
/dev/disk3s6     482797652   2097172 123456789     2%    /System/Volumes/VM
/dev/disk3s5     482797652 345678901 123456789    74%    /System/Volumes/Data
/dev/disk5s1    1000000000 500000000 500000000    50%    /Volumes/Backup Disk
map auto_home            0         0         0   100%    /System/Volumes/Data/home
`;
    const host = scriptedHost({
      platform: 'darwin',
      commands: { 'df -Pkl': df, 'sysctl -n hw.memsize': '17179869184\n' },
    });
    expect((await findDisks(host, 'darwin')).items.map(({ path, usedPercent }) => [path, usedPercent])).toEqual([
      ['/', 8],
      ['/Volumes/Backup Disk', 50],
    ]);
    expect(await findMemory(host, 'darwin')).toEqual({ totalBytes: 17179869184, availableBytes: null });
  });

  it('says when it cannot see them', async () => {
    expect((await findDisks(scriptedHost({}), 'linux')).notes[0]).toMatch(/disks cannot be seen/);
    expect(await findMemory(scriptedHost({}), 'linux')).toBeNull();
    const files = { '/proc/meminfo': 'MemTotal:       24684096 kB\nMemFree:  1 kB\nMemAvailable:   24043252 kB\n' };
    expect(await findMemory(scriptedHost({ files }), 'linux')).toEqual({
      totalBytes: 24684096 * 1024,
      availableBytes: 24043252 * 1024,
    });
  });
});

describe('command lines', () => {
  it.each([
    ['node /srv/shop/server.js', '/', 'shop'],
    ['node server.js', '/srv/shop', 'shop'],
    ['node dist/index.js', '/srv/shop/current', 'shop'],
    ['/usr/bin/python3 -m uvicorn app:app --port 8000', '/srv/x', 'uvicorn'],
    ['python3 /opt/jobs/mailer.py', null, 'mailer'],
    ['java -jar /opt/search.jar', null, 'search'],
    ['/usr/sbin/nginx -g daemon', null, 'nginx'],
    ['nginx: master process /usr/sbin/nginx', null, 'nginx'],
    ['node -e x', '/srv/x', 'node'],
  ])('%s in %s is called %s', (command, directory, expected) => {
    expect(nameOfCommand(splitCommand(null, command), directory)).toBe(expected);
  });

  it('cuts a command line at what may be a secret', () => {
    const random = () =>
      Math.random().toString(36).slice(2).padEnd(12, '1') + Math.random().toString(36).slice(2).padEnd(12, 'a');
    for (const bad of [
      ['--api-key', 'abc'],
      ['--password=abc'],
      [`--x=${random()}`],
      [`postgres://a:${random()}@h/d`],
      [random()],
      ['has blank'],
      ['$(x)'],
      ['DB_PASSWORD=abc'],
    ])
      expect(withoutSecrets(['srv', '--port', '80', ...bad, 'end'])).toEqual({
        argv: ['srv', '--port', '80'],
        cut: true,
      });
    const shown = (command: string) => withoutSecrets(command.split(' ')).argv.join(' ');
    expect(shown('mysql -u root -phunter2')).toBe('mysql -u');
    expect(shown('srv --auth hunter2')).toBe('srv --auth');
    expect(shown('srv --x=hunter2')).toBe('srv');
    for (const whole of [
      'node /srv/a/server.js --port=80 -v',
      'node --enable-source-maps server.js',
      'uvicorn app:app --host 0.0.0.0 --port 8000',
      'java -Xmx512m -jar /opt/a.jar',
    ])
      expect(shown(whole)).toBe(whole);
  });

  it('finds a text that fits one process only', () => {
    const find = (command: string, others: string[]) => distinctiveText(splitCommand(null, command), command, others);
    expect(find('node /srv/a/server.js', ['node /srv/b/server.js'])).toBe('/srv/a/server.js');
    expect(find('node server.js', ['node worker.js'])).toBe('node server.js');
    expect(find('node server.js', ['node server.js --other'])).toBeNull();
    expect(find('node server.js --port 1', ['node server.js --port 2'])).toBe('node server.js --port 1');
    expect(find('redis-server *:6379', ['redis-server *:6380'])).toBe('redis-server *:6379');
    expect(find('node -e something', [])).toBeNull();
    expect(find('node --token=abc server.js', [])).toBeNull();
  });
});

it('gives names that are valid, short and given once', () => {
  const name = createNames();
  expect(
    ['nginx.service', 'postgresql@15-main', 'nginx', 'NGINX', 'machine', '--', 'a b/c', 'x'.repeat(99), '日本'].map(
      name,
    ),
  ).toEqual([
    'nginx',
    'postgresql-15-main',
    'nginx-2',
    'NGINX-3',
    'machine-2',
    'service',
    'a-b-c',
    'x'.repeat(40),
    'service-2',
  ]);
});
