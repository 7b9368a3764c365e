import { failure, type Outcome, success } from '../base/outcome.ts';
import { portsOfChecks } from './check-ports.ts';
import { listListeners } from './listeners.ts';
import { readLogFiles } from './log-files.ts';
import type { LogText, LogWindow, Manager, ManagerContext, ServiceStatus } from './manager.ts';
import { type FoundProcess, findProcess, type StartedProcess } from './process-find.ts';
import { startProcess } from './process-start.ts';
import { signalProcess, stopProcess } from './process-stop.ts';
import { describeProcess, isPaused, type ProcessRow } from './process-table.ts';
import { vitalBecause } from './vital.ts';

const RELOAD_WATCHED_MS = 300;

/** A plain program: found by pid file, command line or port, whoever started it; started by the `start` of its service. */
export function createProcessManager(context: ManagerContext): Manager {
  const { service, host, clock } = context;
  /** What this manager started itself; it leads a process group of its own. */
  const started: StartedProcess[] = [];
  const ownPid = host.kind === 'local' ? process.pid : null;
  const living = () => started.filter(({ pid }) => host.endOf(pid) === null);
  const find = () => findProcess(service, host, clock.now(), living(), ownPid);

  const stop = async (): Promise<Outcome<string>> => {
    const found = await find();
    if (!found.ok) return found;
    const { main, several, table } = found.value;
    if (several.length > 1) return failure(ambiguous(several));
    if (!main) return success(`${service.name} was not running`);
    const never = vitalBecause(main);
    if (never !== null) return failure(spared(main, never));
    const wholeGroup = started.some(({ pid }) => pid === main.pid) && main.group === main.pid;
    const stopped = await stopProcess({ host, clock, main, table, drainMs: service.drain, wholeGroup });
    if (stopped.ok) await removePidFile(context, main.pid);
    return stopped;
  };

  const start = async (): Promise<Outcome<string>> => {
    const found = await find();
    if (!found.ok) return found;
    const { main } = found.value;
    if (main) {
      const paused = isPaused(main.state) ? ', but paused (SIGSTOP); a restart would end it and start it anew' : '';
      return failure(`${service.name} is already running as process ${describeProcess(main)}${paused}`);
    }
    const holder = await holderOfPort(context);
    if (holder !== null) return failure(`${service.name} was not started: ${holder}`);
    return startProcess({ ...context, find, onStart: (pid) => started.push({ pid, at: clock.now() }) });
  };

  return {
    kind: 'process',
    status: async () => {
      const found = await find();
      return found.ok ? success(statusOf(context, found.value, started.at(-1)?.pid)) : found;
    },
    start,
    stop,
    restart: async () => {
      if (service.start === undefined)
        return failure(`${service.name} has no \`start:\`, so it was not stopped either`);
      const stopped = await stop();
      if (!stopped.ok) return stopped;
      const again = await find();
      if (again.ok && again.value.main) {
        return success(
          `${stopped.value}; whatever looks after it started it again as ${describeProcess(again.value.main)}`,
        );
      }
      const begun = await start();
      return begun.ok ? success(`${stopped.value}; ${begun.value}`) : failure(`${stopped.value}, but ${begun.error}`);
    },
    reload: async () => {
      const signal = service.reload_signal;
      if (signal === undefined)
        return failure(`${service.name} has no \`reload_signal:\`; only a restart makes it read its configuration`);
      const found = await find();
      if (!found.ok) return found;
      const { main, several } = found.value;
      if (several.length > 1) return failure(ambiguous(several));
      if (!main) return failure(`${service.name} is not running (${found.value.note})`);
      const never = vitalBecause(main);
      if (never !== null) return failure(spared(main, never));
      const sent = await signalProcess(host, main.pid, signal.slice(3));
      if (!sent.ok) return sent;
      await clock.sleep(RELOAD_WATCHED_MS);
      const after = await find();
      if (after.ok && after.value.main?.pid === main.pid)
        return success(`sent ${signal} to process ${main.pid}, which goes on running`);
      return failure(`process ${main.pid} ended after ${signal}; it does not seem to understand it as a reload`);
    },
    logs: async (window) => {
      if (service.logs.length > 0) return readLogFiles(host, service.logs, window);
      return readOpenOutput(context, await find(), window);
    },
  };
}

const ambiguous = (several: FoundProcess['several']): string =>
  `${several.length} unrelated processes fit: ${several.map(describeProcess).join(', ')}. ` +
  'Set `pid_file:` or a longer `match:` so that it is clear which one is meant';

const spared = (main: ProcessRow, why: string): string =>
  `process ${describeProcess(main)} is neither ended nor signalled: ${why}. Is the pid file or \`match:\` right?`;

function statusOf(context: ManagerContext, found: FoundProcess, lastStarted: number | undefined): ServiceStatus {
  const { main, several, note } = found;
  const nothing = { restarts: null, outOfMemory: false, stoppedOnPurpose: null, health: null } as const;
  if (main) {
    const paused = isPaused(main.state);
    const more = several.length > 1 ? `; ${several.length} unrelated processes fit, this is the oldest` : '';
    return {
      ...nothing,
      state: paused ? 'paused' : 'running',
      mainPid: main.pid,
      since: paused ? null : context.clock.now() - main.ageMs,
      exitCode: null,
      exitSignal: null,
      summary: `${paused ? 'paused (stopped by a signal)' : 'running'}, process ${describeProcess(main)}, found ${note}${more}`,
    };
  }
  const end = lastStarted === undefined ? null : context.host.endOf(lastStarted);
  const failed = end !== null && (end.signal !== null || (end.exitCode ?? 0) !== 0);
  const how = end?.signal ? `signal ${end.signal}` : `exit code ${end?.exitCode}`;
  return {
    ...nothing,
    state: failed ? 'failed' : 'stopped',
    mainPid: null,
    since: end?.at ?? null,
    exitCode: end?.exitCode ?? null,
    exitSignal: end?.signal ?? null,
    summary: ['not running', end ? `last exit: ${how}` : note].filter(Boolean).join(', '),
  };
}

/** Who stands in the way of starting it, in words; null when nobody does or it cannot be seen. */
async function holderOfPort({ service, host }: ManagerContext): Promise<string | null> {
  const ports = portsOfChecks(service);
  if (ports.length === 0) return null;
  const listeners = await listListeners(host);
  const holder = listeners.ok ? listeners.value.find((listener) => ports.includes(listener.port)) : undefined;
  if (!holder) return null;
  const who =
    holder.pid === null ? 'a process this user may not see' : `process ${holder.pid} (${holder.program ?? '?'})`;
  return `its port ${holder.port} is held by ${who}`;
}

async function removePidFile({ service, host }: ManagerContext, pid: number): Promise<void> {
  if (service.pid_file === undefined) return;
  const read = await host.readFile(service.pid_file, { maxBytes: 256 });
  // Only ours: a program that cleans up after itself has removed it, one started meanwhile has written its own.
  if (read.ok && Number.parseInt(read.value.text, 10) === pid) await host.remove(service.pid_file);
}

/** Without `logs:`, the files its output goes to, where the kernel tells. */
async function readOpenOutput(
  { service, host }: ManagerContext,
  found: Outcome<FoundProcess>,
  window: LogWindow,
): Promise<Outcome<LogText[]>> {
  const main = found.ok ? found.value.main : null;
  const paths = new Set<string>();
  for (const descriptor of main ? [1, 2] : []) {
    const link = await host.fileFacts(`/proc/${main?.pid}/fd/${descriptor}`);
    const target = link.ok ? link.value?.target : undefined;
    if (target?.startsWith('/') && !target.startsWith('/dev/') && !target.endsWith(' (deleted)')) paths.add(target);
  }
  if (paths.size > 0) return readLogFiles(host, [...paths], window);
  return failure(`${service.name} has no \`logs:\`, and where its output goes cannot be seen`);
}
