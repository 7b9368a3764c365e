import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { success } from '../../src/base/outcome.ts';
import type { Manager, ServiceStatus } from '../../src/services/manager.ts';
import { activateRelease } from '../../tools/act/activate-release.ts';
import { clearDirectory } from '../../tools/act/clear-directory.ts';
import { continueProcess } from '../../tools/act/continue-process.ts';
import { reloadService } from '../../tools/act/reload-service.ts';
import { restartService } from '../../tools/act/restart-service.ts';
import { restoreFile } from '../../tools/act/restore-file.ts';
import { rotateLog } from '../../tools/act/rotate-log.ts';
import { runCommand } from '../../tools/act/run-command.ts';
import { startService } from '../../tools/act/start-service.ts';
import { stopService } from '../../tools/act/stop-service.ts';
import { call, copiesOf, freePort, LISTENER, plan, startProgram, temporaryFolder, world } from './world.ts';

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** A manager that only says its state and notes what it was asked for. */
function scriptedManager(status: Partial<ServiceStatus>) {
  const asked: string[] = [];
  const act = (what: string) => async () => {
    asked.push(what);
    return success(`${what} done`);
  };
  const whole: ServiceStatus = {
    state: 'running',
    mainPid: 1,
    since: null,
    exitCode: null,
    exitSignal: null,
    restarts: 0,
    outOfMemory: false,
    stoppedOnPurpose: null,
    health: null,
    summary: 'as scripted',
    ...status,
  };
  const manager: Manager = {
    kind: 'systemd',
    status: async () => success(whole),
    start: act('start'),
    stop: act('stop'),
    restart: act('restart'),
    reload: act('reload'),
    logs: async () => success([]),
  };
  return { manager, asked };
}

describe('services', () => {
  test('a real process is stopped, started and restarted', async () => {
    const folder = temporaryFolder();
    const port = await freePort();
    writeFileSync(join(folder, 'api.js'), LISTENER);
    const { context } = world({
      folder,
      services: `  api: { manager: process, start: [${process.execPath}, DIR/api.js, "${port}"], directory: DIR, drain: 2s, checks: [{ tcp: "127.0.0.1:${port}" }] }\n`,
    });
    expect(await plan(startService, { service: 'api' }, context)).toMatchObject({
      plan: { title: 'start api', service: 'api', risk: 'reversible', undo: 'stop_service api' },
    });
    const started = await call(startService, { service: 'api' }, context);
    expect(started).toMatchObject({ ok: true, details: { state: 'running' } });
    expect(started.content).toMatch(/; now: running, process \d+/);
    expect(await plan(startService, { service: 'api' }, context)).toHaveProperty('refusal');
    const first = (await context.manager('api')?.status())?.ok;
    expect(first).toBe(true);
    expect(await plan(restartService, { service: 'api' }, context)).toMatchObject({
      plan: { risk: 'reversible', undo: 'none needed' },
    });
    expect(await call(restartService, { service: 'api' }, context)).toMatchObject({
      ok: true,
      details: { state: 'running' },
    });
    expect(await plan(stopService, { service: 'api' }, context)).toMatchObject({
      plan: { risk: 'disruptive', undo: 'start_service api' },
    });
    expect(await call(stopService, { service: 'api' }, context)).toMatchObject({
      ok: true,
      details: { state: expect.stringMatching(/stopped|failed/) },
    });
    expect(await plan(reloadService, {}, context).catch(() => 'not taken')).toBe('not taken');
  });

  const services =
    '  api: { manager: systemd, config_test: ["false"], directory: DIR }\n  web: { manager: systemd, config_test: ["true"] }\n';

  test('with a configuration that is not valid a running service is neither restarted nor reloaded', async () => {
    const { manager, asked } = scriptedManager({ state: 'running' });
    const { context } = world({ services, manager: () => manager });
    for (const tool of [restartService, reloadService]) {
      expect(await plan(tool, { service: 'api' }, context)).toMatchObject({
        refusal: expect.stringContaining('not valid'),
      });
      expect(await call<unknown>(tool, { service: 'api' }, context)).toMatchObject({ ok: false });
      expect(await call<unknown>(tool, { service: 'web' }, context)).toMatchObject({ ok: true });
    }
    expect(asked).toEqual(['restart', 'reload']);
  });

  test('what a person stopped stays stopped, and what is starting is left alone until its time is over', async () => {
    const purpose = scriptedManager({ state: 'stopped', stoppedOnPurpose: true });
    const { context } = world({ services, manager: () => purpose.manager });
    for (const tool of [startService, restartService])
      expect(await plan(tool, { service: 'web' }, context)).toMatchObject({
        refusal: expect.stringContaining('on purpose'),
      });
    const starting = (since: number, restarts: number) =>
      world({ services, manager: () => scriptedManager({ state: 'starting', since, restarts }).manager }).context;
    expect(await plan(restartService, { service: 'web' }, starting(Date.now() - 1000, 0))).toMatchObject({
      refusal: expect.stringContaining('left alone'),
    });
    expect(await plan(restartService, { service: 'web' }, starting(Date.now() - 60_000, 0))).toHaveProperty('plan');
    expect(await plan(restartService, { service: 'web' }, starting(Date.now() - 1000, 9))).toHaveProperty('plan');
    expect(purpose.asked).toEqual([]);
  });

  test('a stopped process goes on', async () => {
    const port = await freePort();
    const pid = await startProgram(LISTENER, `paused-${port}`, String(port));
    process.kill(pid, 'SIGSTOP');
    const { context } = world({ services: `  api: { manager: process, match: "paused-${port}" }\n` });
    expect(await plan(startService, { service: 'api' }, context)).toMatchObject({
      refusal: expect.stringContaining('continue_process'),
    });
    expect(await plan(continueProcess, { service: 'api' }, context)).toMatchObject({
      plan: { risk: 'reversible', undo: 'none needed' },
    });
    expect(await call(continueProcess, { service: 'api' }, context)).toMatchObject({
      ok: true,
      details: { continued: [pid] },
    });
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('fine');
    expect(await plan(continueProcess, { service: 'api' }, context)).toHaveProperty('refusal');
    expect(alive(pid)).toBe(true);
  });
});

describe('run_command', () => {
  const services = `
  api: { manager: systemd, directory: DIR, commands: {
    show: { run: [node, -e, "console.log(process.cwd(), process.argv[1])", "a b; $(id) *"], risk: read, description: shows its folder },
    break: { run: [node, -e, "console.error('no such thing'); process.exit(3)"], undo: show },
    slow: { run: [sleep, "30"], within: 200ms } } }
`;
  test('runs what is listed as it stands, never through a shell', async () => {
    const { context, folder } = world({ services });
    const result = await call(runCommand, { service: 'api', command: 'show' }, context);
    expect(result).toMatchObject({ ok: true, details: { exitCode: 0 } });
    expect(result.content).toContain(`${folder} a b; $(id) *`);
  });

  test('its risk is what the person chose, and acting is never a mere look', async () => {
    const { context } = world({ services });
    expect(await plan(runCommand, { service: 'api', command: 'show' }, context)).toMatchObject({
      plan: { risk: 'reversible', undo: 'none' },
    });
    expect(await plan(runCommand, { service: 'api', command: 'break' }, context)).toMatchObject({
      plan: { risk: 'disruptive', undo: 'run_command show of api' },
    });
  });

  test('failure and time limit are values', async () => {
    const { context } = world({ services });
    const broken = await call(runCommand, { service: 'api', command: 'break' }, context);
    expect(broken).toMatchObject({ ok: false, details: { exitCode: 3 } });
    expect(broken.content).toContain('no such thing');
    expect(await call(runCommand, { service: 'api', command: 'slow' }, context)).toMatchObject({
      ok: false,
      details: { failure: 'timed-out' },
    });
    expect(
      runCommand.input(context.scope, context.config).safeParse({ service: 'api', command: 'rm -rf' }).success,
    ).toBe(false);
  });
});

describe('rotate_log', () => {
  const setup = (more = '') => {
    const folder = temporaryFolder();
    return {
      folder,
      log: join(folder, 'api.log'),
      services: `  api: { manager: process, match: "never-${basename(folder)}", logs: DIR/api.log, rotate: { above: 1kB, keep: 2 }${more} }\n`,
    };
  };
  const big = (text: string) => `${text}\n`.repeat(2000);

  test('keeps the newest ones, and the writer keeps its file', async () => {
    const { folder, log, services } = setup();
    const { context } = world({ folder, services });
    for (const word of ['first', 'second', 'third']) {
      writeFileSync(log, big(word));
      const inode = statSync(log).ino;
      expect(await plan(rotateLog, { service: 'api' }, context)).toMatchObject({
        plan: { service: 'api', risk: 'reversible' },
      });
      expect(statSync(log).size).toBeGreaterThan(1024);
      expect((await call(rotateLog, { service: 'api' }, context)).ok).toBe(true);
      expect(statSync(log)).toMatchObject({ ino: inode, size: 0 });
    }
    expect(
      readdirSync(folder)
        .filter((name) => name.startsWith('api.log'))
        .sort(),
    ).toEqual(['api.log', 'api.log.1.gz', 'api.log.2.gz']);
    expect(gunzipSync(readFileSync(`${log}.1.gz`)).toString()).toBe(big('third'));
    expect(gunzipSync(readFileSync(`${log}.2.gz`)).toString()).toBe(big('second'));
  });

  test('a writer that can be told opens a new file, and loses no line', async () => {
    const { folder, log, services } = setup();
    const code = `const fs = require('node:fs'); const file = process.argv.at(-1); let out = fs.openSync(file, 'a'); fs.writeSync(out, 'old line\\n'.repeat(500));
      process.on('SIGUSR1', () => { fs.closeSync(out); out = fs.openSync(file, 'a'); fs.writeSync(out, 'new line\\n'); }); console.log('up'); setInterval(() => {}, 1000);`;
    await startProgram(code, `writer-${basename(folder)}`, log);
    const { context } = world({
      folder,
      services: services.replace('match: "never', 'reload_signal: SIGUSR1, match: "writer'),
    });
    expect((await call(rotateLog, { service: 'api' }, context)).ok).toBe(true);
    expect(readFileSync(log, 'utf8')).toBe('new line\n');
    expect(gunzipSync(readFileSync(`${log}.1.gz`)).toString()).toBe('old line\n'.repeat(500));
  });

  test('a writer that does not open a new one keeps its own, emptied', async () => {
    const { folder, log, services } = setup();
    await startProgram(
      `process.on('SIGUSR1', () => {}); console.log('up'); setInterval(() => {}, 1000);`,
      `writer-${basename(folder)}`,
    );
    writeFileSync(log, big('kept'));
    let now = 0;
    // Time passes only in sleep, so that waiting for the writer takes no real time.
    const clock = {
      now: () => Date.now() + now,
      sleep: async (milliseconds: number) => {
        now += milliseconds;
      },
    };
    const { context } = world({
      folder,
      clock,
      services: services.replace('match: "never', 'reload_signal: SIGUSR1, match: "writer'),
    });
    expect((await call(rotateLog, { service: 'api' }, context)).ok).toBe(true);
    expect(
      readdirSync(folder)
        .filter((name) => name.startsWith('api.log'))
        .sort(),
    ).toEqual(['api.log', 'api.log.1.gz']);
    expect(gunzipSync(readFileSync(`${log}.1.gz`)).toString()).toBe(big('kept'));
    expect(statSync(log).size).toBe(0);
  });

  test('a log that became a link is left alone, and so is what it points at', async () => {
    const { folder, log, services } = setup();
    const victim = join(folder, 'victim');
    writeFileSync(victim, big('precious'));
    symlinkSync(victim, log);
    const { context } = world({ folder, services });
    expect(await plan(rotateLog, { service: 'api' }, context)).toMatchObject({
      refusal: expect.stringContaining('links are not followed'),
    });
    expect((await call(rotateLog, { service: 'api' }, context)).ok).toBe(false);
    expect(readFileSync(victim, 'utf8')).toBe(big('precious'));
  });

  test('a log that becomes a link between looking and acting is not emptied through it', async () => {
    const { folder, log, services } = setup();
    const victim = join(folder, 'victim');
    writeFileSync(victim, big('precious'));
    writeFileSync(log, big('mine'));
    const { context } = world({ folder, services });
    const real = context.host('local');
    const swapped = {
      ...real,
      run: async (request: Parameters<typeof real.run>[0]) => {
        if (request.argv[0] === 'dd') {
          const { renameSync } = await import('node:fs');
          renameSync(log, join(folder, 'moved'));
          symlinkSync(victim, log);
        }
        return real.run(request);
      },
    };
    const attacked = { ...context, host: () => swapped };
    if (process.platform === 'linux') {
      expect((await call(rotateLog, { service: 'api' }, attacked)).ok).toBe(false);
      expect(readFileSync(victim, 'utf8')).toBe(big('precious'));
    }
  });

  test('what lies in the way, a second name, or a log below its limit: nothing is changed', async () => {
    const { folder, log, services } = setup();
    const { context } = world({ folder, services });
    writeFileSync(log, 'short\n');
    expect(await plan(rotateLog, { service: 'api' }, context)).toMatchObject({
      refusal: expect.stringContaining('its limit is'),
    });
    writeFileSync(log, big('x'));
    writeFileSync(`${log}.gz`, 'in the way');
    expect((await call(rotateLog, { service: 'api' }, context)).ok).toBe(false);
    expect(readFileSync(`${log}.gz`, 'utf8')).toBe('in the way');
    const { linkSync, rmSync } = await import('node:fs');
    rmSync(`${log}.gz`);
    linkSync(log, join(folder, 'shadow'));
    expect((await call(rotateLog, { service: 'api' }, context)).ok).toBe(false);
    expect(readFileSync(join(folder, 'shadow'), 'utf8')).toBe(big('x'));
  });

  test('without `rotate:` there is nothing to name', () => {
    const { context, config } = world({
      services: '  api: { manager: process, start: [node, x], logs: DIR/api.log }\n',
    });
    expect(rotateLog.input(context.scope, config).safeParse({ service: 'api' }).success).toBe(false);
  });
});

describe('clear_directory', () => {
  const services = (directory: string, more = '') =>
    `  api: { manager: process, start: [node, api.js], directory: DIR/app, clear: [${directory}]${more} }\n`;

  test('deletes the content, follows no link, keeps the directory', async () => {
    const folder = temporaryFolder();
    const cache = join(folder, 'cache');
    mkdirSync(join(cache, 'deep', 'er'), { recursive: true });
    mkdirSync(join(folder, 'outside'));
    writeFileSync(join(folder, 'outside', 'precious'), 'x');
    writeFileSync(join(cache, 'deep', 'er', 'file'), Buffer.alloc(100_000, 1));
    writeFileSync(join(cache, '-rf'), 'a name like an option');
    symlinkSync(join(folder, 'outside'), join(cache, 'link'));
    const { context } = world({ folder, services: services('DIR/cache') });
    expect(await plan(clearDirectory, { service: 'api', directory: cache }, context)).toMatchObject({
      plan: { service: 'api', risk: 'disruptive', undo: 'none', title: expect.stringContaining('3 entries') },
    });
    expect(existsSync(join(cache, '-rf'))).toBe(true);
    const result = await call(clearDirectory, { service: 'api', directory: cache }, context);
    expect(result).toMatchObject({ ok: true, details: { cleared: [{ entriesLeft: 0 }] } });
    expect(result.details.cleared[0]?.freedBytes).toBeGreaterThan(90_000);
    expect(readdirSync(cache)).toEqual([]);
    expect(readFileSync(join(folder, 'outside', 'precious'), 'utf8')).toBe('x');
  });

  test('without a directory: all of the list that may be emptied', async () => {
    const folder = temporaryFolder();
    for (const name of ['a', 'b', 'data']) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, name === 'data' ? 'PG_VERSION' : 'x'), 'x');
    }
    const { context } = world({ folder, services: services('DIR/a, DIR/data, DIR/b') });
    const result = await call(clearDirectory, { service: 'api' }, context);
    expect(result.details.cleared.map(({ directory }) => basename(directory))).toEqual(['a', 'b']);
    expect(readdirSync(join(folder, 'data'))).toEqual(['PG_VERSION']);
  });

  test('a directory that is a link is left alone', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'outside'));
    writeFileSync(join(folder, 'outside', 'precious'), 'x');
    symlinkSync('outside', join(folder, 'cache'));
    const { context } = world({ folder, services: services('DIR/cache') });
    expect(await plan(clearDirectory, { service: 'api', directory: join(folder, 'cache') }, context)).toMatchObject({
      refusal: expect.stringContaining('links are not followed'),
    });
    expect((await call(clearDirectory, { service: 'api', directory: join(folder, 'cache') }, context)).ok).toBe(false);
    expect(readdirSync(join(folder, 'outside'))).toEqual(['precious']);
  });

  test('a directory that holds what the inventory needs, also behind a link, is left alone', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'real', 'cache'), { recursive: true });
    writeFileSync(join(folder, 'real', 'cache', '.env'), 'x');
    symlinkSync('real', join(folder, 'alias'));
    const { context } = world({ folder, services: services('DIR/real/cache', ', files: [DIR/alias/cache/.env]') });
    expect(
      await plan(clearDirectory, { service: 'api', directory: join(folder, 'real', 'cache') }, context),
    ).toMatchObject({ refusal: expect.stringContaining('a watched file of api') });
  });

  test.each(['PG_VERSION', 'dump.rdb', '.git'])('a directory with %s in it looks like data', async (name) => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'cache'));
    writeFileSync(join(folder, 'cache', name), 'x');
    const { context } = world({ folder, services: services('DIR/cache') });
    expect(await plan(clearDirectory, { service: 'api', directory: join(folder, 'cache') }, context)).toMatchObject({
      refusal: expect.stringContaining('looks like data'),
    });
  });

  test.each(['/', '/etc', '/usr/lib', '/var', '/var/log', '/home', '/tmp'])(
    '%s is never cleared',
    async (directory) => {
      const { context } = world({ services: '  api: { manager: systemd }\n' });
      const service = context.config.services.get('api');
      if (service) service.clear = [directory];
      expect(await plan(clearDirectory, { service: 'api', directory }, context)).toMatchObject({
        refusal: expect.stringMatching(/belongs to the system|lies in it|is a link/),
      });
    },
  );
});

describe('restore_file', () => {
  const setup = (content: string | null, copies: string[], test = 'true') => {
    const folder = temporaryFolder();
    const path = join(folder, 'app.conf');
    if (content !== null) writeFileSync(path, content);
    const now = Date.now();
    const made = world({
      folder,
      services: `  api: { manager: process, start: [node, api.js], files: [DIR/app.conf], config_test: ${test} }\n`,
      copies: copiesOf({ [path]: copies.map((text, index) => ({ at: now - (index + 1) * 60_000, content: text })) }),
    });
    const backups = () => readdirSync(folder).filter((name) => name.startsWith('app.conf.nightshift-'));
    return { ...made, path, backups };
  };
  const valid = '["true"]';

  test('puts back the newest copy that differs, keeps what was there for its owner only', async () => {
    const { context, path, backups } = setup('broken', ['good 2', 'good 1'], valid);
    chmodSync(path, 0o640);
    const planned = await plan(restoreFile, { service: 'api', path }, context);
    expect(planned).toMatchObject({
      plan: { service: 'api', risk: 'reversible', undo: expect.stringContaining('app.conf.nightshift-') },
    });
    expect(readFileSync(path, 'utf8')).toBe('broken');
    const result = await call(restoreFile, { service: 'api', path }, context);
    expect(result).toMatchObject({ ok: true, details: { restored: true } });
    expect(readFileSync(path, 'utf8')).toBe('good 2');
    expect(statSync(path).mode & 0o777).toBe(0o640);
    const [backup = ''] = backups();
    expect(readFileSync(join(path, '..', backup), 'utf8')).toBe('broken');
    expect(statSync(join(path, '..', backup)).mode & 0o777).toBe(0o600);
    expect(result.content).toContain('reload_service or restart_service');
  });

  test('the newest copy is what is there: the one before it', async () => {
    const { context, path } = setup('good 2', ['good 2', 'good 1'], valid);
    expect((await call(restoreFile, { service: 'api', path }, context)).ok).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('good 1');
  });

  test('nothing differs, or nothing is kept: nothing is done', async () => {
    for (const copies of [['same'], []]) {
      const { context, path, backups } = setup('same', copies, valid);
      expect(await plan(restoreFile, { service: 'api', path }, context)).toHaveProperty('refusal');
      expect((await call(restoreFile, { service: 'api', path }, context)).ok).toBe(false);
      expect(backups()).toEqual([]);
    }
  });

  test('a configuration that is not valid with the copy is put back as it was', async () => {
    const { context, path } = setup('broken', ['also broken'], '["false"]');
    const result = await call(restoreFile, { service: 'api', path }, context);
    expect(result).toMatchObject({ ok: false, details: { restored: false } });
    expect(result.content).toContain('put back as it was');
    expect(readFileSync(path, 'utf8')).toBe('broken');
  });

  test('without a path: the only one that differs; several must be named', async () => {
    const folder = temporaryFolder();
    const path = (name: string) => join(folder, name);
    for (const name of ['a.conf', 'b.conf', 'c.conf']) writeFileSync(path(name), 'good');
    const copies = copiesOf(
      Object.fromEntries(['a.conf', 'b.conf', 'c.conf'].map((name) => [path(name), [{ at: 1, content: 'good' }]])),
    );
    const { context } = world({
      folder,
      copies,
      services: '  api: { manager: process, start: [node, x], files: [DIR/a.conf, DIR/b.conf, DIR/c.conf] }\n',
    });
    expect(await plan(restoreFile, { service: 'api' }, context)).toMatchObject({
      refusal: expect.stringContaining('no watched file'),
    });
    writeFileSync(path('b.conf'), 'bad');
    expect(await call(restoreFile, { service: 'api' }, context)).toMatchObject({
      ok: true,
      details: { file: path('b.conf') },
    });
    writeFileSync(path('a.conf'), 'bad');
    writeFileSync(path('c.conf'), 'bad');
    expect(await plan(restoreFile, { service: 'api' }, context)).toMatchObject({
      refusal: expect.stringContaining('several files differ'),
    });
  });

  test('a missing file comes back', async () => {
    const { context, path, backups } = setup(null, ['good'], valid);
    expect((await call(restoreFile, { service: 'api', path }, context)).ok).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('good');
    expect(backups()).toEqual([]);
  });

  test('a file that became a link is left alone, and so is what it points at', async () => {
    const { context, path, folder } = setup(null, ['good'], valid);
    const victim = join(folder, 'victim');
    writeFileSync(victim, 'precious');
    symlinkSync(victim, path);
    expect(await plan(restoreFile, { service: 'api', path }, context)).toMatchObject({
      refusal: expect.stringContaining('links are not followed'),
    });
    expect((await call(restoreFile, { service: 'api', path }, context)).ok).toBe(false);
    expect(readFileSync(victim, 'utf8')).toBe('precious');
  });

  test('a damaged copy is not restored', async () => {
    const { context, path } = setup('broken', ['good'], valid);
    const damaged = { ...context, goodCopies: { ...context.goodCopies, read: () => Buffer.from('goo') } };
    expect(await plan(restoreFile, { service: 'api', path }, damaged)).toMatchObject({
      refusal: expect.stringContaining('damaged'),
    });
  });
});

describe('activate_release', () => {
  const setup = (current: string, names = ['v1', 'v2', 'v10']) => {
    const folder = temporaryFolder();
    for (const [index, name] of names.entries()) {
      mkdirSync(join(folder, 'releases', name), { recursive: true });
      writeFileSync(join(folder, 'releases', name, 'server.js'), name);
      utimesSync(join(folder, 'releases', name), 1000 + index, 1000 + index);
    }
    symlinkSync(current, join(folder, 'current'));
    const made = world({
      folder,
      services:
        '  api: { manager: process, start: [node, current/server.js], releases: { directory: DIR/releases, current: DIR/current } }\n',
    });
    return { ...made, link: join(folder, 'current') };
  };

  test('goes back to the one before, in the manner of the link', async () => {
    const { context, link } = setup('releases/v10');
    expect(await plan(activateRelease, { service: 'api' }, context)).toMatchObject({
      plan: { title: 'activate release v2 of api (now v10)', risk: 'reversible', undo: `point ${link} back at v10` },
    });
    expect(readlinkSync(link)).toBe('releases/v10');
    const result = await call(activateRelease, { service: 'api' }, context);
    expect(result).toMatchObject({ ok: true, details: { from: 'v10', to: 'v2' } });
    expect(result.content).toContain('restart_service');
    expect(readlinkSync(link)).toBe('releases/v2');
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  test('an absolute link stays absolute', async () => {
    const folder = temporaryFolder();
    for (const name of ['a1', 'a2']) {
      mkdirSync(join(folder, 'releases', name), { recursive: true });
      writeFileSync(join(folder, 'releases', name, 'x'), '');
    }
    symlinkSync(join(folder, 'releases', 'a2'), join(folder, 'current'));
    const { context } = world({
      folder,
      services:
        '  api: { manager: process, start: [node, x], releases: { directory: DIR/releases, current: DIR/current } }\n',
    });
    expect((await call(activateRelease, { service: 'api' }, context)).ok).toBe(true);
    expect(readlinkSync(join(folder, 'current'))).toBe(join(folder, 'releases', 'a1'));
  });

  test('there is no older one; it points elsewhere; the older one is empty: nothing is done', async () => {
    expect(await plan(activateRelease, { service: 'api' }, setup('releases/v1').context)).toMatchObject({
      refusal: expect.stringContaining('no release older'),
    });
    expect(await plan(activateRelease, { service: 'api' }, setup('/etc').context)).toMatchObject({
      refusal: expect.stringContaining('none of its releases'),
    });
    const { context, folder } = setup('releases/v2');
    const { rmSync } = await import('node:fs');
    rmSync(join(folder, 'releases', 'v1', 'server.js'));
    expect(await plan(activateRelease, { service: 'api' }, context)).toMatchObject({
      refusal: expect.stringContaining('is empty'),
    });
  });

  test('a link among the releases is none, wherever it leads', async () => {
    const { context, folder } = setup('releases/v2', ['v2']);
    symlinkSync('/etc', join(folder, 'releases', 'v1'));
    expect(await plan(activateRelease, { service: 'api' }, context)).toHaveProperty('refusal');
  });
});
