import { failure, type Outcome, success } from '../base/outcome.ts';
import { type CommandResult, type Host, succeeded } from '../hosts/host.ts';
import { absentStatus, combineStatus } from './combined-status.ts';
import { readLogFiles } from './log-files.ts';
import type { Manager, ManagerContext } from './manager.ts';
import { lastEnd, type Pm2Process, parseList, statusOf } from './pm2-status.ts';
import { lastLines } from './said.ts';

/** The list carries the whole environment of every app. */
const LIST_BYTES = 16 * 1024 * 1024;
const OWN_LOG_BYTES = 128 * 1024;
const ACTION_GRACE_MS = 60_000;

/**
 * An app of pm2 by its name or id, with all its instances. Which pm2: `PM2_HOME` in the service's environment, else the
 * user's own. pm2 ends an app with its own signal (SIGINT, or PM2_KILL_SIGNAL) and sends SIGKILL after the app's
 * `kill_timeout`; the drain time of the service cannot be handed to it.
 */
export function createPm2Manager({ service, host }: ManagerContext): Manager {
  const environment = service.environment ?? {};
  let knownHome: string | null = null;

  const home = async (): Promise<Outcome<string>> => {
    const found = knownHome === null ? await findHome(host, environment) : success(knownHome);
    if (found.ok) knownHome = found.value;
    return found;
  };

  const pm2 = async (args: readonly string[], timeoutMs?: number): Promise<Outcome<CommandResult>> => {
    const result = await host.run({
      argv: ['pm2', ...args],
      environment,
      maxBytes: LIST_BYTES,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
    return succeeded(result) ? success(result) : failure(explain(result, host.name));
  };

  /** The instances of the app; empty when pm2 has none. */
  const instances = async (): Promise<Outcome<Pm2Process[]>> => {
    const folder = await home();
    if (!folder.ok) return folder;
    const daemon = await daemonRuns(host, folder.value);
    if (!daemon.ok) return daemon;
    const listed = await pm2(['jlist']);
    if (!listed.ok) return listed;
    const list = parseList(listed.value.stdout);
    if (!list.ok) return list;
    const unit = service.unit;
    const named = list.value.filter(({ name }) => name === unit);
    return success(named.length > 0 ? named : list.value.filter(({ pm_id }) => String(pm_id) === unit));
  };

  const absent = () =>
    `pm2 on ${host.name} has no app named ${service.unit}: see \`pm2 list\`; \`pm2 start ...\` and \`pm2 save\` add one`;

  const present = async (): Promise<Outcome<Pm2Process[]>> => {
    const found = await instances();
    return found.ok && found.value.length === 0 ? failure(`${service.name}: ${absent()}`) : found;
  };

  // By id: a name could mean something else to pm2 (`all`, a script of that name).
  const act = async (verb: string, args: readonly string[], processes: Pm2Process[]): Promise<Outcome<string>> => {
    const ids = processes.map(({ pm_id }) => String(pm_id));
    const result = await pm2([...args, ...ids], service.starts_within + service.drain + ACTION_GRACE_MS);
    return result.ok
      ? success(`pm2 ${verb} ${service.unit}${ids.length > 1 ? ` (${ids.length} instances)` : ''}`)
      : result;
  };

  return {
    kind: 'pm2',

    async status() {
      const found = await instances();
      if (!found.ok) return found;
      const ended = found.value.some(({ pm2_env }) => pm2_env.status !== 'online');
      const folder = await home();
      const log =
        ended && folder.ok
          ? await host.readFile(`${folder.value}/pm2.log`, { maxBytes: OWN_LOG_BYTES, fromEnd: true })
          : null;
      const states = found.value.map((process) => ({
        name: `${process.name}:${process.pm_id}`,
        status: statusOf(process, log?.ok ? lastEnd(log.value.text, process.name, process.pm_id) : null),
      }));
      return success(combineStatus(states) ?? absentStatus(absent()));
    },

    async start() {
      const found = await present();
      if (!found.ok) return found;
      // `pm2 start` of an app that runs would restart it.
      const down = found.value.filter(({ pm2_env }) => !['online', 'launching'].includes(pm2_env.status));
      return down.length > 0 ? act('start', ['start'], down) : success(`${service.name} was already running`);
    },

    async stop() {
      const found = await present();
      return found.ok ? act('stop', ['stop'], found.value) : found;
    },

    async restart() {
      const found = await present();
      return found.ok ? act('restart', ['restart'], found.value) : found;
    },

    async reload() {
      const found = await present();
      if (!found.ok) return found;
      if (service.reload_signal)
        return eachInTurn(found.value, (process) =>
          act(`sendSignal ${service.reload_signal}`, ['sendSignal', service.reload_signal ?? ''], [process]),
        );
      return found.value.every(({ pm2_env }) => pm2_env.exec_mode === 'cluster_mode')
        ? act('reload', ['reload'], found.value)
        : failure(
            `${service.name} runs in fork mode, where pm2 reload is a restart: set reload_signal to the signal that makes it reload, or restart it`,
          );
    },

    async logs(window) {
      if (service.logs.length > 0) return readLogFiles(host, service.logs, window);
      const found = await present();
      if (!found.ok) return found;
      const files = new Set<string>();
      for (const { pm2_env } of found.value) {
        for (const path of [pm2_env.pm_out_log_path, pm2_env.pm_err_log_path])
          if (path?.startsWith('/') && path !== '/dev/null') files.add(path);
      }
      return readLogFiles(host, [...files], window);
    },
  };
}

async function eachInTurn(
  processes: Pm2Process[],
  action: (process: Pm2Process) => Promise<Outcome<string>>,
): Promise<Outcome<string>> {
  let last: Outcome<string> = failure('there was no process');
  for (const process of processes) {
    last = await action(process);
    if (!last.ok) break;
  }
  return last;
}

/** Where this user's pm2 keeps its things on the host. */
async function findHome(host: Host, environment: Readonly<Record<string, string>>): Promise<Outcome<string>> {
  if (environment.PM2_HOME) return success(environment.PM2_HOME);
  const own = await host.run({ argv: ['printenv', 'PM2_HOME'] });
  if (succeeded(own)) return success(own.stdout.trim());
  const user = environment.HOME ?? (await host.run({ argv: ['printenv', 'HOME'] })).stdout.trim();
  return user ? success(`${user}/.pm2`) : failure(`could not find the folder of pm2 on ${host.name}: set PM2_HOME`);
}

/**
 * Whether pm2's daemon is there. Every pm2 command, even one that only looks, starts a daemon where there is none; so we
 * look at its pid file first.
 */
async function daemonRuns(host: Host, home: string): Promise<Outcome<void>> {
  const file = await host.fileFacts(`${home}/pm2.pid`);
  if (!file.ok) return file;
  if (file.value) {
    const text = await host.readFile(`${home}/pm2.pid`, { maxBytes: 64 });
    // Somebody else's pm2, whose pid file we may not read: its socket will say.
    if (!text.ok) return success(undefined);
    const pid = text.value.text.trim();
    const shown = /^\d+$/.test(pid) ? await host.run({ argv: ['ps', '-o', 'args=', '-p', pid] }) : null;
    if (shown && /PM2|pm2/.test(shown.stdout)) return success(undefined);
  }
  return failure(
    `the pm2 daemon of ${home} on ${host.name} is not running, and its apps are not watched: ` +
      '`pm2 resurrect` brings back what `pm2 save` kept; `pm2 startup` starts it at boot',
  );
}

function explain(result: CommandResult, host: string): string {
  const said = lastLines(result.stderr) || lastLines(result.stdout);
  const tried = `\`${result.argv.join(' ')}\` on ${host}`;
  if (result.failure === 'not-found')
    return `${tried}: pm2 is not on the PATH there. Install it (\`npm install -g pm2\`), or set PATH in the environment of the service.`;
  if (result.failure !== undefined) return `${tried}: ${result.failure}${said ? `: ${said}` : ''}`;
  if (/EACCES|permission denied/i.test(said))
    return `${tried}: this user may not use that pm2 (${said}). Run Nightshift as the user who owns it, or set PM2_HOME.`;
  return `${tried}: exit code ${result.exitCode}: ${said || 'no message'}`;
}
