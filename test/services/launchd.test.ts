import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/base/clock.ts';
import type { Service } from '../../src/config/schema.ts';
import type { CommandResult } from '../../src/hosts/host.ts';
import { createLaunchdManager } from '../../src/services/launchd.ts';
import { parsePrint, pidIn, statusOfJob } from '../../src/services/launchd-status.ts';
import { errorOf, scriptedHost, serviceOf, unwrap } from './fixture.ts';

/** Written after the form that launchctl(1) of macOS 13 to 15 prints: nested braces, one `name = value` a line. */
const print = (lines: string[]): Partial<CommandResult> => ({
  stdout: `system/com.example.brain = {
	active count = 1
	path = /Library/LaunchDaemons/com.example.brain.plist
	type = LaunchDaemon
${lines.map((line) => `\t${line}`).join('\n')}

	program = /usr/local/bin/brain
	arguments = {
		/usr/local/bin/brain
		state = not a state but an argument
	}

	stdout path = /var/log/brain.log
	stderr path = /var/log/brain.log
	environment = {
		PATH => /usr/bin:/bin
		pid = 1
	}

	domain = system
	minimum runtime = 10
	exit timeout = 5

	spawn type = daemon (3)
	properties = keepalive | runatload | inferred program
}
`,
});
const RUNNING = print(['state = running', 'runs = 3', 'pid = 812', 'last exit code = 1']);
const NOT_FOUND: Partial<CommandResult> = {
  exitCode: 113,
  stderr: 'Bad request.\nCould not find service "com.example.brain" in domain for system\n',
};
const ps = (pid: number, state = 'S'): Partial<CommandResult> => ({
  stdout: `${state}    Mon May  4 10:20:30 2026 ${pid}\n`.replace(` ${pid}\n`, '\n'),
});

function manager(script: [string, Partial<CommandResult>][], settings: Partial<Service> = {}) {
  let now = 1_000_000;
  const clock: Clock = {
    now: () => now,
    sleep: async (milliseconds) => {
      now += milliseconds;
    },
  };
  const scripted = scriptedHost('darwin', [['id -u', { stdout: '501\n' }], ...script]);
  const service = serviceOf({ manager: 'launchd', name: 'brain', unit: 'com.example.brain', drain: 1000, ...settings });
  return { ...scripted, manager: createLaunchdManager({ service, host: scripted.host, clock }) };
}

describe('the status of a job', () => {
  const statusOf = (lines: string[], process: { paused: boolean; ageMs: number } | null = null) =>
    statusOfJob(parsePrint(print(lines).stdout ?? ''), 100_000, process);

  it('takes only what stands at the top level', () => {
    const facts = parsePrint(RUNNING.stdout ?? '');
    expect(pidIn(facts)).toBe(812);
    expect([facts.get('state'), facts.get('stdout path'), facts.get('PATH')]).toEqual([
      'running',
      '/var/log/brain.log',
      undefined,
    ]);
  });

  it('tells running, paused, ended and waiting', () => {
    expect(
      statusOf(['state = running', 'pid = 812', 'runs = 3', 'last exit code = 1'], { paused: false, ageMs: 5000 }),
    ).toMatchObject({ state: 'running', mainPid: 812, since: 95_000, restarts: 2, exitCode: null });
    expect(statusOf(['state = running', 'pid = 812'], { paused: true, ageMs: 0 }).state).toBe('paused');
    expect(statusOf(['state = not running', 'last exit code = 78: EX_CONFIG'])).toMatchObject({
      state: 'failed',
      exitCode: 78,
      mainPid: null,
    });
    expect(statusOf(['state = not running', 'last terminating signal = Killed: 9'])).toMatchObject({
      state: 'failed',
      exitSignal: 'SIGKILL',
      exitCode: null,
    });
    expect(statusOf(['state = not running', 'runs = 0', 'last exit code = (never exited)'])).toMatchObject({
      state: 'stopped',
      exitCode: null,
      restarts: 0,
    });
    expect(statusOf(['state = spawn scheduled', 'last exit code = 1']).state).toBe('starting');
  });
});

describe('the launchd manager', () => {
  it('looks in the domain of the system, then of the user', async () => {
    const { manager: brain } = manager([
      ['launchctl print system/com.example.brain', NOT_FOUND],
      ['launchctl print gui/501/com.example.brain', print(['state = not running', 'last exit code = 0'])],
    ]);
    expect(unwrap(await brain.status())).toMatchObject({ state: 'stopped', exitCode: 0 });
  });

  it('says that a job is unknown when there is no definition either', async () => {
    const script: [string, Partial<CommandResult>][] = [
      ['launchctl print system/', NOT_FOUND],
      ['launchctl print gui/501/', NOT_FOUND],
      ['launchctl print user/501/', NOT_FOUND],
      ['printenv HOME', { stdout: '/Users/nobody-here\n' }],
      ['id -u', { stdout: '501\n' }],
    ];
    expect(unwrap(await manager(script).manager.status()).state).toBe('absent');
    expect(errorOf(await manager(script).manager.start())).toContain('there is no com.example.brain.plist');
  });

  it('restarts with a drain time, and kills only after it', async () => {
    const { manager: brain, left } = manager([
      ['launchctl print system/', RUNNING],
      ['ps -o stat=,lstart= -p 812', ps(812)],
      ['launchctl kill SIGTERM system/com.example.brain', {}],
      ...Array.from({ length: 6 }, (): [string, Partial<CommandResult>] => ['ps -o stat=,lstart= -p 812', ps(812)]),
      ['launchctl kickstart -k system/com.example.brain', {}],
      ['id -u', { stdout: '501\n' }],
      ['launchctl print system/', print(['state = running', 'pid = 900'])],
    ]);
    expect(unwrap(await brain.restart())).toBe('restarted (the old one was killed) com.example.brain, process 900');
    expect(left).toEqual([]);
  });

  it('unloads a job to stop it, as root in the domain of the system', async () => {
    const { manager: brain, seen } = manager([
      ['launchctl print system/', RUNNING],
      ['ps -o', ps(812)],
      [
        'launchctl bootout system/com.example.brain',
        { exitCode: 36, stderr: 'Boot-out failed: 36: Operation now in progress' },
      ],
      ['ps -o', { exitCode: 1 }],
    ]);
    expect(unwrap(await brain.stop())).toContain('process 812 ended');
    expect(seen.find(({ argv }) => argv.includes('bootout'))?.privileged).toBe(true);
  });

  it('reports a start that does not last', async () => {
    const { manager: brain } = manager(
      [
        ['launchctl print gui/501/', print(['state = not running', 'last exit code = 0'])],
        ['launchctl kickstart gui/501/com.example.brain', {}],
        ['id -u', { stdout: '501\n' }],
        ['launchctl print gui/501/', print(['state = spawn scheduled', 'last exit code = 1'])],
      ],
      { user: true },
    );
    expect(errorOf(await brain.start())).toContain('did not stay: spawn scheduled, last exit: code 1');
  });
});
