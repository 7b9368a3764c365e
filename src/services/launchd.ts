import { failure, type Outcome, success } from '../base/outcome.ts';
import { type CommandResult, succeeded } from '../hosts/host.ts';
import { type JobFacts, parsePrint, pidIn, statusOfJob } from './launchd-status.ts';
import { readLogFiles } from './log-files.ts';
import type { Manager, ManagerContext } from './manager.ts';
import { signalProcess } from './process-stop.ts';
import { identityOf, isPaused, listProcesses } from './process-table.ts';

/** launchctl's exit code for "could not find service". */
const NO_SUCH_JOB = 113;
const POLL_MS = 200;
const KILL_WAIT_MS = 3000;
const WATCHED_MS = 500;

/** A loaded job and where it is: `system/LABEL` or `gui/501/LABEL`. */
interface Job {
  target: string;
  facts: JobFacts;
}

/**
 * A job of launchd. The unit is its label, looked for in the system's domain and then in the user's (`user: true`: only
 * there); or the label with its domain in front.
 */
export function createLaunchdManager(context: ManagerContext): Manager {
  const { service, host, clock } = context;
  const label = service.unit.split('/').at(-1) ?? service.unit;

  const launchctl = (target: string, ...args: readonly string[]): Promise<CommandResult> =>
    host.run({ argv: ['launchctl', ...args], timeoutMs: 15_000, privileged: target.startsWith('system') });

  const domains = async (): Promise<string[]> => {
    if (service.unit.includes('/')) return [service.unit.slice(0, service.unit.lastIndexOf('/'))];
    const user = (await host.run({ argv: ['id', '-u'] })).stdout.trim();
    const own = user === '' ? [] : [`gui/${user}`, `user/${user}`];
    return service.user ? own : ['system', ...own];
  };

  /** The loaded job; null when it is loaded in no domain. */
  const find = async (): Promise<Outcome<Job | null>> => {
    for (const domain of await domains()) {
      const target = `${domain}/${label}`;
      const result = await host.run({ argv: ['launchctl', 'print', target] });
      if (succeeded(result)) return success({ target, facts: parsePrint(result.stdout) });
      const missing = result.exitCode === NO_SUCH_JOB || /could not find (service|domain)/i.test(result.stderr);
      if (!missing) return failure(`could not ask launchd about ${target}: ${said(result)}`);
    }
    return success(null);
  };

  /** Where the definition of a job that is not loaded lies, and the domain it belongs to. */
  const definition = async (): Promise<{ domain: string; path: string } | null> => {
    const home = (await host.run({ argv: ['printenv', 'HOME'] })).stdout.trim();
    for (const domain of await domains()) {
      const folders =
        domain === 'system' ? ['/Library/LaunchDaemons'] : [`${home}/Library/LaunchAgents`, '/Library/LaunchAgents'];
      for (const folder of folders) {
        const path = `${folder}/${label}.plist`;
        const facts = await host.fileFacts(path);
        if (facts.ok && facts.value) return { domain, path };
      }
    }
    return null;
  };

  /** Waits until the job has another process or none; false when it still has this one. */
  const leaves = async (pid: number, began: string, milliseconds: number): Promise<boolean> => {
    const until = clock.now() + milliseconds;
    for (;;) {
      const now = await identityOf(host, pid);
      if (now.ok && now.value?.began !== began) return true;
      if (clock.now() >= until) return false;
      await clock.sleep(POLL_MS);
    }
  };

  const lives = async (what: string): Promise<Outcome<string>> => {
    await clock.sleep(WATCHED_MS);
    const found = await find();
    if (!found.ok) return found;
    const pid = found.value ? pidIn(found.value.facts) : null;
    if (pid !== null) return success(`${what} ${label}, process ${pid}`);
    const summary = found.value ? statusOfJob(found.value.facts, clock.now(), null).summary : 'it is not loaded';
    return failure(`${what} ${label}, but it did not stay: ${summary}`);
  };

  const start = async (): Promise<Outcome<string>> => {
    const found = await find();
    if (!found.ok) return found;
    if (found.value) {
      const { target, facts } = found.value;
      const pid = pidIn(facts);
      if (pid !== null) return failure(`${label} is already running as process ${pid}`);
      const result = await launchctl(target, 'kickstart', target);
      return succeeded(result) ? lives('started') : failure(`could not start ${target}: ${said(result)}`);
    }
    const file = await definition();
    if (!file) return failure(`launchd knows no job ${label}, and there is no ${label}.plist in the usual folders`);
    const result = await launchctl(file.domain, 'bootstrap', file.domain, file.path);
    if (!succeeded(result)) {
      return failure(
        `could not load ${file.path}: ${said(result)} (\`launchctl enable ${file.domain}/${label}\` if it was disabled)`,
      );
    }
    const target = `${file.domain}/${label}`;
    const loaded = await find();
    // RunAtLoad has started it already; otherwise it waits to be asked.
    if (loaded.ok && loaded.value && pidIn(loaded.value.facts) === null) await launchctl(target, 'kickstart', target);
    return lives('loaded and started');
  };

  return {
    kind: 'launchd',
    status: async () => {
      const found = await find();
      if (!found.ok) return found;
      if (found.value) {
        const pid = pidIn(found.value.facts);
        const table = pid === null ? null : await listProcesses(host);
        const row = table?.ok ? table.value.find((candidate) => candidate.pid === pid) : undefined;
        return success(
          statusOfJob(found.value.facts, clock.now(), row ? { paused: isPaused(row.state), ageMs: row.ageMs } : null),
        );
      }
      const file = await definition();
      const status = statusOfJob(new Map([['state', 'not loaded']]), clock.now(), null);
      return success(
        file
          ? // launchd loads what lies there when the machine starts; somebody has unloaded it since.
            {
              ...status,
              state: 'stopped',
              stoppedOnPurpose: true,
              summary: `not loaded: somebody unloaded it (${file.path})`,
            }
          : { ...status, state: 'absent', summary: `launchd knows no job ${label}` },
      );
    },
    start,
    stop: async () => {
      const found = await find();
      if (!found.ok) return found;
      if (!found.value) return success(`${label} was not loaded`);
      const { target, facts } = found.value;
      const pid = pidIn(facts);
      const before = pid === null ? null : await identityOf(host, pid);
      // KeepAlive would start it again after a mere signal, so it is unloaded; launchd sends SIGTERM first.
      const result = await host.run({
        argv: ['launchctl', 'bootout', target],
        timeoutMs: Math.max(1000, service.drain),
        privileged: target.startsWith('system'),
      });
      // 36 is "operation now in progress": it is ending.
      const going = succeeded(result) || result.exitCode === 36 || result.failure === 'timed-out';
      if (!going) return failure(`could not unload ${target}: ${said(result)}`);
      if (pid === null || !before?.ok || before.value === null)
        return success(`unloaded ${label}, which was not running`);
      const { began } = before.value;
      if (await leaves(pid, began, service.drain)) return success(`unloaded ${label}; process ${pid} ended`);
      const killed = await signalProcess(host, pid, 'KILL');
      if (killed.ok && (await leaves(pid, began, KILL_WAIT_MS))) {
        return success(
          `unloaded ${label}; process ${pid} ended by SIGKILL, not having ended within ${service.drain / 1000} s`,
        );
      }
      return failure(
        `unloaded ${label}, but process ${pid} is still there${killed.ok ? ' after SIGKILL' : `: ${killed.error}`}`,
      );
    },
    restart: async () => {
      const found = await find();
      if (!found.ok) return found;
      const pid = found.value ? pidIn(found.value.facts) : null;
      const before = pid === null ? null : await identityOf(host, pid);
      if (!found.value || pid === null || !before?.ok || before.value === null) return start();
      const { target } = found.value;
      // `kickstart -k` kills at once: it first gets its drain time.
      const asked = await launchctl(target, 'kill', 'SIGTERM', target);
      if (!succeeded(asked)) return failure(`could not restart ${target}: ${said(asked)}`);
      const left = await leaves(pid, before.value.began, service.drain);
      const result = await launchctl(target, 'kickstart', ...(left ? [] : ['-k']), target);
      if (!succeeded(result))
        return failure(`${label} ${left ? 'ended' : 'did not end'}, and launchd did not start it: ${said(result)}`);
      return lives(left ? 'restarted' : 'restarted (the old one was killed)');
    },
    reload: async () => {
      const signal = service.reload_signal;
      if (signal === undefined)
        return failure(`${label} has no \`reload_signal:\`; only a restart makes it read its configuration`);
      const found = await find();
      if (!found.ok) return found;
      if (!found.value || pidIn(found.value.facts) === null) return failure(`${label} is not running`);
      const { target } = found.value;
      const result = await launchctl(target, 'kill', signal, target);
      return succeeded(result)
        ? lives(`sent ${signal} to`)
        : failure(`could not send ${signal} to ${target}: ${said(result)}`);
    },
    logs: async (window) => {
      if (service.logs.length > 0) return readLogFiles(host, service.logs, window);
      const found = await find();
      if (!found.ok) return found;
      const { facts } = found.value ?? { facts: new Map<string, string>() };
      const named = ['stdout path', 'stderr path'].flatMap((name) => facts.get(name) ?? []);
      const paths = [...new Set(named)].filter((path) => path !== '/dev/null');
      if (paths.length > 0) return readLogFiles(host, paths, window);
      return failure(`${label} has no StandardOutPath or StandardErrorPath, and no \`logs:\` in the configuration`);
    },
  };
}

const said = (result: CommandResult): string =>
  result.stderr.trim().replace(/\s*\n\s*/g, '; ') || result.failure || `exit code ${result.exitCode}`;
