import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { configOf, loadText, options, temporaryFolder } from './folder.ts';

const folder = temporaryFolder();
const configText = (text: string) => configOf(loadText(folder, text));

describe('a completed configuration', () => {
  it('has absolute paths on this machine, and paths as written on others', () => {
    const config = configText(`
hosts: { pc: { ssh: pc } }
state: ./state
runbooks: [./runbooks, ~/mine, /etc/books]
services:
  here:
    manager: process
    start: [./server]
    directory: ./api
    pid_file: ~/run/api.pid
    logs: api.log
    files: [./.env, /etc/api.conf]
    clear: [cache]
    releases: { directory: releases, current: ./current }
    compose_file: docker/compose.yaml
    checks:
      - file_size: ./api.log
      - heartbeat: ./beat
      - heartbeat: nightly-backup
      - certificate: ./cert.pem
      - certificate: example.com:443
      - { log_rate: error, file: other.log }
  there: { manager: systemd, host: pc, logs: [~/a.log, ./b.log], files: [~/.env] }
`);
    const at = (path: string) => `${folder.path}/${path}`;
    expect([config.stateFolder, config.runbooks]).toEqual([
      at('state'),
      [at('runbooks'), '/home/tester/mine', '/etc/books'],
    ]);
    expect(config.services.get('here')).toMatchObject({
      start: ['./server'],
      directory: at('api'),
      pid_file: '/home/tester/run/api.pid',
      logs: [at('api.log')],
      files: [at('.env'), '/etc/api.conf'],
      clear: [at('cache')],
      releases: { directory: at('releases'), current: at('current') },
      compose_file: at('docker/compose.yaml'),
    });
    expect(config.services.get('here')?.checks.map(({ settings }) => settings)).toMatchObject([
      { file_size: at('api.log') },
      { heartbeat: at('beat') },
      { heartbeat: 'nightly-backup' },
      { certificate: at('cert.pem') },
      { certificate: 'example.com:443' },
      { log_rate: 'error', file: at('other.log') },
    ]);
    expect(config.services.get('there')).toMatchObject({ logs: ['~/a.log', './b.log'], files: ['~/.env'] });
  });

  it('fills in what checks leave out, and names each', () => {
    const { services } = configText(`
every: 30s
services:
  api:
    manager: systemd
    checks:
      - http: http://127.0.0.1:1/
      - http: http://127.0.0.1:2/
        name: http-2
      - { http: "http://127.0.0.1:3/", every: 2s, within: 1s, fails: 3, of: 5, as: warn }
      - { tcp: "127.0.0.1:4", of: 1 }
      - { metric: { check: api/tcp }, unit: ms }
`);
    const checks = services.get('api')?.checks.map(({ settings: _, ...rest }) => rest);
    const common = { service: 'api', everyMs: 30_000, withinMs: 5000, fails: 2, of: 2, as: 'critical' };
    expect(checks).toEqual([
      { ...common, key: 'api/http', name: 'http', kind: 'http' },
      { ...common, key: 'api/http-2', name: 'http-2', kind: 'http' },
      {
        ...common,
        key: 'api/http-3',
        name: 'http-3',
        kind: 'http',
        everyMs: 2000,
        withinMs: 1000,
        fails: 3,
        of: 5,
        as: 'warn',
      },
      { ...common, key: 'api/tcp', name: 'tcp', kind: 'tcp', fails: 1, of: 1 },
      { ...common, key: 'api/metric', name: 'metric', kind: 'metric' },
    ]);
  });

  it('measures of a machine what is written, and nothing for an empty block', () => {
    const checksOf = (yaml: string) =>
      configText(yaml)
        .services.get('machine')
        ?.checks.map((check) => check.name);
    expect(checksOf('name: x')).toEqual(['disk', 'memory']);
    expect(checksOf('machine: { memory: {} }')).toEqual(['memory']);
    expect(checksOf('machine: {}')).toEqual([]);
  });

  it('has a machine for this host and for each that is used', () => {
    const { services } = configText(`
hosts: { pc: { ssh: pc }, spare: { ssh: spare } }
services: { api: { manager: systemd, host: pc } }
`);
    expect([...services.keys()]).toEqual(['machine', 'machine@pc', 'api']);
    const machine = services.get('machine@pc');
    expect([machine?.host, machine?.machine, services.get('api')?.machine]).toEqual(['pc', true, false]);
    expect(machine?.checks).toMatchObject([
      {
        key: 'machine@pc/disk',
        fails: 3,
        of: 3,
        settings: { disk: '/', warn: { operator: '>', value: 80 }, critical: { value: 90, text: '90%' } },
      },
      { key: 'machine@pc/memory', settings: { memory: 'machine', warn: { value: 80 }, critical: { value: 90 } } },
    ]);
  });

  it('measures the disks and the processor as written, and never warns beyond critical', () => {
    const { services } = configText(`
machine:
  disk: [{ path: / }, { path: /srv/data, warn: 95% }, { path: /x, critical: 50% }]
  memory: { critical: 95% }
  cpu: { warn: 85% }
`);
    const limits = services.get('machine')?.checks.map(({ name, settings }) => {
      const { warn, critical } = settings as { warn?: { value: number }; critical?: { value: number } };
      return [name, warn?.value, critical?.value];
    });
    expect(limits).toEqual([
      ['disk', 80, 90],
      ['disk-srv-data', 95, undefined],
      ['disk-x', undefined, 50],
      ['memory', 80, 95],
      ['cpu', 85, undefined],
    ]);
  });

  it('guesses what a service is', () => {
    const { services } = configText(`
services:
  a: { manager: systemd, checks: [{ redis: "redis://127.0.0.1" }] }
  b: { manager: systemd, unit: postgresql@15-main }
  c: { manager: process, start: [/usr/bin/python3, app.py], checks: [{ redis: "redis://127.0.0.1:6390" }] }
  d: { manager: systemd, unit: nginx, kind: mine }
  e: { manager: systemd }
  f: { manager: pm2 }
`);
    expect(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => services.get(name)?.kind)).toEqual([
      'redis',
      'postgres',
      'python',
      'mine',
      undefined,
      'node',
    ]);
  });

  it.each([
    ['linux', {}, '/home/tester/.local/state/nightshift'],
    ['linux', { XDG_STATE_HOME: '/var/state' }, '/var/state/nightshift'],
    ['linux', { XDG_STATE_HOME: 'relative' }, '/home/tester/.local/state/nightshift'],
    ['darwin', {}, '/home/tester/Library/Application Support/nightshift'],
  ])('keeps its state on %s with %j in %s', (platform, environment, expected) => {
    const file = folder.write('state.yaml', 'name: home\n');
    expect(configOf(loadConfig(file, { ...options, platform, environment })).stateFolder).toBe(expected);
  });

  it('finds relative paths from the folder of the file, however that is named', () => {
    folder.write('sub/nightshift.yaml', 'state: ./s\n');
    const config = configOf(loadConfig(`${folder.path}/x/../sub/nightshift.yaml`, options));
    expect([config.file, config.stateFolder]).toEqual([`${folder.path}/sub/nightshift.yaml`, `${folder.path}/sub/s`]);
  });
});
