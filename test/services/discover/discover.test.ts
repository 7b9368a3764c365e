import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcp, type Server as TcpServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { discoveryConfig } from '../../../src/config/from-discovery.ts';
import { discover } from '../../../src/services/discover/index.ts';
import { scriptedHost } from './scripted-host.ts';

const servers: (Server | TcpServer)[] = [];
const listen = async (server: Server | TcpServer): Promise<number> => {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};
afterAll(() => {
  for (const server of servers) server.close();
});

const answering = (paths: Record<string, string>) =>
  createServer((request, response) => {
    const type = paths[request.url ?? ''] ?? paths['*'];
    response.writeHead(type === undefined ? 404 : 200, { 'content-type': type ?? 'text/plain' });
    response.end('hello');
  });
const saying = (answer: (said: Buffer) => Buffer | string) =>
  createTcp((socket) => socket.on('data', (said) => socket.end(answer(said))));

const ports = { health: 0, page: 0, silent: 0, redis: 0, locked: 0, trusting: 0, asking: 0, ollama: 0 };
const secret = randomBytes(10).toString('hex');
beforeAll(async () => {
  ports.health = await listen(answering({ '/api/health': 'application/json' }));
  ports.page = await listen(answering({ '*': 'text/html' }));
  ports.silent = await listen(saying(() => '220 smtp ready\r\n'));
  ports.redis = await listen(saying(() => '+PONG\r\n'));
  ports.locked = await listen(saying(() => '-NOAUTH Authentication required.\r\n'));
  ports.trusting = await listen(saying(() => Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0])));
  ports.asking = await listen(saying(() => Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 10])));
  ports.ollama = await listen(answering({ '/api/tags': 'application/json' }));
});

const CONTAINER = 'c0ffee'.padEnd(64, '0');
const ss = (port: number, program: string, pid: number, address = '127.0.0.1') =>
  `LISTEN 0 511 ${address}:${port} 0.0.0.0:* users:(("${program}",pid=${pid},fd=6))`;

/** A busy small server: every manager, a worker of each, and some programs nobody manages. */
const busyHost = () =>
  scriptedHost({
    commands: {
      'ss ': [
        ss(3000, 'grafana', 100, '*'),
        ss(8080, 'node', 201),
        ss(8080, 'node', 201, '[::1]'),
        ss(6379, 'redis-server', 300),
        ss(6380, 'redis-server', 301),
        ss(5432, 'postgres', 400),
        ss(9000, 'docker-proxy', 501, '0.0.0.0'),
        ss(9001, 'thing', 502),
        ss(7000, 'node', 601),
        ss(7001, 'python3', 701),
        ss(7002, 'python3', 702),
        ss(11434, 'ollama', 800),
        ss(45678, 'gopls', 900),
        ss(45679, 'tool', 901),
        ss(5353, 'systemd', 1),
        'LISTEN 0 128 0.0.0.0:22 0.0.0.0:*',
        'LISTEN 0 128 0.0.0.0:2024 0.0.0.0:*',
        'LISTEN 0 80 127.0.0.1:3306 0.0.0.0:* uid:110 ino:9 sk:1 cgroup:/system.slice/mariadb.service <->',
      ].join('\n'),
      'ps ': `
    1     0 root     /sbin/init
  100     1 grafana  /usr/share/grafana/bin/grafana server
  200     1 root     supervisord
  201   202 app      node /srv/api/server.js
  202   200 app      sh -c node /srv/api/server.js
  300     1 redis    /usr/bin/redis-server 127.0.0.1:6379
  301     1 me       redis-server *:6380
  400     1 postgres /usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main
  600     1 me       PM2 v6.0.8: God Daemon (/home/me/.pm2)
  601   600 me       node /home/me/web/index.js
  701     1 me       python3 /home/me/jobs/serve.py --api-key ${secret}
  702     1 me       python3 /home/me/feed/app.py
  800     1 ollama   /usr/local/bin/ollama serve
  900     1 me       gopls
  901     1 me       /opt/tool --listen
`,
      'systemctl show': [
        ['grafana-server', 100],
        ['redis-server', 300],
        ['postgresql@15-main', 400],
        ['ollama', 800],
        ['supervisor', 200],
        ['ssh', 50],
        ['mariadb', 60],
        ['cron', 70],
      ]
        .map(
          ([name, pid]) =>
            `Id=${name}.service\nDescription=The ${name}\nActiveState=active\nSubState=running\nType=simple\nMainPID=${pid}\n`,
        )
        .join('\n'),
      'docker ps': [
        JSON.stringify({
          ID: 'f00d'.padEnd(64, '0'),
          Names: 'shop-web-1',
          Image: 'shop/web:2',
          State: 'running',
          Status: 'Up 3 hours',
          Ports: '0.0.0.0:9000->80/tcp',
          Labels:
            'com.docker.compose.project=shop,com.docker.compose.service=web,com.docker.compose.project.config_files=/srv/shop/compose.yaml',
        }),
        JSON.stringify({
          ID: CONTAINER,
          Names: 'thing',
          Image: 'thing',
          State: 'running',
          Status: 'Up',
          Ports: '',
          Labels: '',
        }),
      ].join('\n'),
      'supervisorctl status': 'api                              RUNNING   pid 202, uptime 0:01:02\n',
      'pm2 jlist': JSON.stringify([{ name: 'web', pid: 601, pm2_env: { status: 'online', SECRET: secret } }]),
      'df -PTl': '/dev/vda ext4 264212084 23741756 82649156 23% /\n',
    },
    files: {
      '/proc/100/cgroup': '0::/system.slice/grafana-server.service\n',
      '/proc/201/cgroup': '0::/system.slice/supervisor.service\n',
      '/proc/300/cgroup': '0::/system.slice/redis-server.service\n',
      '/proc/301/cgroup': '0::/user.slice/user-1000.slice/session-1.scope\n',
      '/proc/502/cgroup': `0::/system.slice/docker-${CONTAINER}.scope\n`,
      '/proc/601/cgroup': '0::/user.slice/user-1000.slice/session-1.scope\n',
      '/proc/701/cmdline': `python3\0/home/me/jobs/serve.py\0--api-key\0${secret}\0`,
      '/proc/702/cmdline': 'python3\0/home/me/feed/app.py\0',
      '/proc/meminfo': 'MemTotal: 16000000 kB\nMemAvailable: 8000000 kB\n',
    },
    links: { '/proc/702/cwd': '/home/me/feed' },
    ports: {
      3000: ports.health,
      8080: ports.page,
      6379: ports.redis,
      6380: ports.locked,
      5432: ports.trusting,
      9000: ports.health,
      9001: ports.silent,
      7000: ports.silent,
      7001: ports.health,
      7002: ports.silent,
      11434: ports.ollama,
    },
  });

describe('a busy host', () => {
  it('has one service for each thing that runs, at the manager that would start it again', async () => {
    const { services, memory, disks, notes, at } = await discover(busyHost(), { ...systemClock, now: () => 42 });
    expect([at, memory?.totalBytes, disks.map(({ path }) => path)]).toEqual([42, 16_384_000_000, ['/']]);
    const found = Object.fromEntries(
      services.map(({ name, manager, unit, ports: own, checks }) => [name, { manager, unit, ports: own, checks }]),
    );
    const unit = (name: string) => ({ unit: `${name}.service` });
    expect(found).toEqual({
      web: {
        manager: 'compose',
        unit: undefined,
        ports: [9000],
        checks: [{ container: 'shop-web-1' }, { http: 'http://127.0.0.1:9000/api/health' }],
      },
      thing: {
        manager: 'docker',
        unit: undefined,
        ports: [9001],
        checks: [{ container: 'thing' }, { tcp: '127.0.0.1:9001' }],
      },
      api: {
        manager: 'supervisor',
        unit: undefined,
        ports: [8080],
        checks: [{ process: 'main' }, { http: 'http://127.0.0.1:8080/' }],
      },
      'web-2': { manager: 'pm2', unit: 'web', ports: [7000], checks: [{ process: 'main' }, { tcp: '127.0.0.1:7000' }] },
      'grafana-server': {
        manager: 'systemd',
        unit: undefined,
        ports: [3000],
        checks: [unit('grafana-server'), { http: 'http://127.0.0.1:3000/api/health' }],
      },
      'redis-server': {
        manager: 'systemd',
        unit: undefined,
        ports: [6379],
        checks: [unit('redis-server'), { redis: 'redis://127.0.0.1:6379', warn: '50ms' }],
      },
      'postgresql-15-main': {
        manager: 'systemd',
        unit: 'postgresql@15-main',
        ports: [5432],
        checks: [unit('postgresql@15-main'), { postgres: 'postgres://postgres@127.0.0.1:5432/postgres' }],
      },
      ollama: {
        manager: 'systemd',
        unit: undefined,
        ports: [11434],
        checks: [unit('ollama'), { ollama: 'http://127.0.0.1:11434' }],
      },
      supervisor: { manager: 'systemd', unit: undefined, ports: [], checks: [unit('supervisor')] },
      ssh: { manager: 'systemd', unit: undefined, ports: [22], checks: [unit('ssh'), { tcp: '127.0.0.1:22' }] },
      mariadb: {
        manager: 'systemd',
        unit: undefined,
        ports: [3306],
        checks: [unit('mariadb'), { tcp: '127.0.0.1:3306' }],
      },
      cron: { manager: 'systemd', unit: undefined, ports: [], checks: [unit('cron')] },
      'redis-server-2': {
        manager: 'process',
        unit: undefined,
        ports: [6380],
        checks: [{ process: 'main' }, { tcp: '127.0.0.1:6380' }],
      },
      serve: {
        manager: 'process',
        unit: undefined,
        ports: [7001],
        checks: [{ process: 'main' }, { http: 'http://127.0.0.1:7001/api/health' }],
      },
      feed: {
        manager: 'process',
        unit: undefined,
        ports: [7002],
        checks: [{ process: 'main' }, { tcp: '127.0.0.1:7002' }],
      },
    });
    expect(notes).toEqual([
      expect.stringMatching(/^port 2024: /),
      '1 program on passing ports (32768 and up) left out',
    ]);
  });

  it('tells processes apart by a text, suggests how to start them, and shows no secret of theirs', async () => {
    const discovery = await discover(busyHost(), systemClock);
    const named = (name: string) => discovery.services.find((service) => service.name === name);
    expect(named('feed')).toMatchObject({
      match: '/home/me/feed/app.py',
      suggestions: ['start: ["python3", "/home/me/feed/app.py"]', 'directory: "/home/me/feed"'],
      found: 'process 702 (python3), listens on 127.0.0.1:7002',
    });
    expect(named('serve')?.match).toBe('/home/me/jobs/serve.py');
    expect(named('redis-server-2')).toMatchObject({ match: 'redis-server *:6380' });
    expect(named('redis-server-2')?.suggestions).toEqual([expect.stringContaining('password: env:REDIS_PASSWORD')]);
    expect(named('web')?.composeFile).toBe('/srv/shop/compose.yaml');
    expect(JSON.stringify(discovery)).not.toContain(secret);
  });

  it('suggests a password where PostgreSQL asks for one', async () => {
    const host = scriptedHost({
      commands: { 'ss ': ss(5432, 'postgres', 4), 'ps ': '4 1 me /usr/bin/postgres -D /data\n' },
      ports: { 5432: ports.asking },
    });
    const { services } = await discover(host, systemClock);
    expect(services[0]?.checks).toContainEqual({ tcp: '127.0.0.1:5432' });
    expect(services[0]?.suggestions.at(-1)).toMatch(/postgres:\/\/USER@127\.0\.0\.1:5432\/DATABASE.*env:PGPASSWORD/);
  });
});

it('finds nothing on a host without any program, and says what it could not see', async () => {
  const discovery = await discover(scriptedHost({}), systemClock);
  expect(discovery).toMatchObject({ services: [], disks: [], memory: null });
  expect(discovery.notes.join('\n')).toMatch(
    /ss nor lsof[\s\S]*processes cannot be listed[\s\S]*disks cannot be seen[\s\S]*memory cannot be seen/,
  );
  expect(discoveryConfig(discovery)).toMatchObject({ mode: 'observe', services: {} });
});

it('reads a Mac: ports by lsof, jobs of launchd', async () => {
  const host = scriptedHost({
    platform: 'darwin',
    commands: {
      lsof: 'p612\ncredis-ser\nf6\nn127.0.0.1:6379\np700\ncControlCe\nf9\nn*:7000\np800\ncnode\nf20\nn*:4000\n',
      'ps ':
        '612 1 me /opt/homebrew/opt/redis/bin/redis-server 127.0.0.1:6379\n700 1 me /System/Library/CoreServices/ControlCenter.app/Contents/MacOS/ControlCenter\n800 1 me node /Users/me/site/server.js\n',
      'launchctl list': 'PID\tStatus\tLabel\n612\t0\thomebrew.mxcl.redis\n-\t0\tcom.google.keystone.agent\n',
      'df -Pkl': '/dev/disk3s1s1   482797652  10234567 123456789     8%    /\n',
      'sysctl -n hw.memsize': '17179869184\n',
    },
    ports: { 6379: ports.redis, 4000: ports.health },
  });
  const { services, notes } = await discover(host, systemClock);
  expect(services.map(({ name, manager, unit, ports: own }) => [name, manager, unit, own])).toEqual([
    ['redis', 'launchd', 'homebrew.mxcl.redis', [6379]],
    ['site', 'process', undefined, [4000]],
  ]);
  expect(notes).toEqual([]);
});
