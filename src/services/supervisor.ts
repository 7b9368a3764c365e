import { failure, type Outcome, success } from '../base/outcome.ts';
import { type Argv, type CommandResult, succeeded } from '../hosts/host.ts';
import { absentStatus, combineStatus } from './combined-status.ts';
import { readLogFiles } from './log-files.ts';
import type { LogText, Manager, ManagerContext } from './manager.ts';
import { lastLines, newestLines } from './said.ts';
import { lastExit, parseStatus, type SupervisorProcess, statusOf } from './supervisor-status.ts';

const DEFAULT_LOG_BYTES = 1024 * 1024;
const MAIN_LOG_BYTES = 64 * 1024;
/** supervisorctl waits for `startsecs` and `stopwaitsecs` of the program, which only its configuration knows. */
const PROGRAM_WAIT_MS = 60_000;

/**
 * A program of supervisord: `NAME`, `GROUP:NAME`, or a group, which is handled as a whole. `{name}` in the unit stands for
 * the name of the service (`worker_{name}`). The stop signal and the time until SIGKILL are those of supervisor's own
 * configuration (`stopsignal`, `stopwaitsecs`), which supervisorctl cannot override.
 */
export function createSupervisorManager({ service, host, clock }: ManagerContext): Manager {
  const unit = service.unit.replaceAll('{name}', service.name);
  const control = createControl(service.supervisor_config, host);

  /** The processes behind the unit. Empty when supervisor knows none of that name. */
  const processes = async (): Promise<Outcome<SupervisorProcess[]>> => {
    const names = unit.includes(':') ? [unit] : [unit, `${unit}:*`];
    for (const name of names) {
      const result = await control(['status', name]);
      if (!result.ok) return result;
      const found = parseStatus(result.value.stdout);
      if (found.length > 0) return success(found);
    }
    return success([]);
  };

  const absent = async (): Promise<string> => {
    const available = await control(['avail']);
    const known = available.ok && available.value.stdout.split('\n').some((line) => line.split(/\s+/)[0] === unit);
    return known
      ? `${unit} is in supervisor's configuration but not loaded: \`supervisorctl update ${unit}\``
      : `supervisor on ${host.name} has no program named ${unit}: see \`supervisorctl avail\``;
  };

  const act = async (verb: string, args: readonly string[], timeoutMs: number): Promise<Outcome<string>> => {
    const found = await processes();
    if (!found.ok) return found;
    if (found.value.length === 0) return failure(`${service.name}: ${await absent()}`);
    const names = found.value.map(({ name }) => name);
    const result = await control([...args, ...names], timeoutMs);
    if (!result.ok) return result;
    const errors = result.value.stdout
      .split('\n')
      .filter((line) => /ERROR \((?!already started|not running)/.test(line));
    if (errors.length === 0) return success(`supervisorctl ${verb} ${names.join(' ')}`);
    const said = await control(['tail', names[0] ?? unit, 'stderr']);
    const end = said.ok ? lastLines(said.value.stdout) : '';
    return failure(
      `\`supervisorctl ${verb} ${names.join(' ')}\` on ${host.name}: ${errors.join('; ')}${end ? `. It said: ${end}` : ''}`,
    );
  };

  const startMs = service.starts_within + PROGRAM_WAIT_MS;
  const stopMs = service.drain + PROGRAM_WAIT_MS;

  return {
    kind: 'supervisor',

    async status() {
      const found = await processes();
      if (!found.ok) return found;
      const needsLog = found.value.some(({ state }) => state !== 'RUNNING');
      const log = needsLog ? await control(['maintail', `-${MAIN_LOG_BYTES}`]) : null;
      const mainLog = log?.ok ? log.value.stdout : '';
      const now = clock.now();
      const offset = host.kind === 'local' ? -new Date(now).getTimezoneOffset() * 60_000 : null;
      const instances = found.value.map((process) => ({
        name: process.name,
        status: statusOf(process, lastExit(mainLog, process.name), now, offset),
      }));
      return success(combineStatus(instances) ?? absentStatus(await absent()));
    },

    start: () => act('start', ['start'], startMs),
    stop: () => act('stop', ['stop'], stopMs),
    restart: () => act('restart', ['restart'], startMs + stopMs),

    async reload() {
      const signal = service.reload_signal;
      return signal
        ? act(`signal ${signal}`, ['signal', signal.replace('SIG', '')], PROGRAM_WAIT_MS)
        : failure(`${service.name} says no reload_signal: set it to the signal that makes it reload, or restart it`);
    },

    async logs(window) {
      if (service.logs.length > 0) return readLogFiles(host, service.logs, window);
      const found = await processes();
      if (!found.ok) return found;
      if (found.value.length === 0) return failure(`${service.name}: ${await absent()}`);
      const share = Math.max(1, Math.floor((window.maxBytes ?? DEFAULT_LOG_BYTES) / (found.value.length * 2)));
      const texts: LogText[] = [];
      for (const { name } of found.value) {
        for (const stream of ['stdout', 'stderr']) {
          const tail = await control(['tail', `-${share}`, name, stream]);
          if (!tail.ok) return tail;
          // A stream that supervisor does not keep (NONE, syslog) is no trouble of the other one.
          if (/ERROR \(no log file\)/.test(tail.value.stdout)) continue;
          const newest = newestLines(tail.value.stdout.trimEnd(), share);
          texts.push({
            text: newest.text,
            source: `supervisorctl tail ${name} ${stream}`,
            truncated: newest.truncated,
          });
        }
      }
      return texts.length > 0
        ? success(texts)
        : failure(`supervisor keeps no log of ${unit}: name its log files under \`logs:\``);
    },
  };
}

type Control = (args: readonly string[], timeoutMs?: number) => Promise<Outcome<CommandResult>>;

/** supervisorctl of a host. Its socket often belongs to root: refused there, it is tried once more by `sudo -n`. */
function createControl(config: string | undefined, host: ManagerContext['host']): Control {
  const configured = config === undefined ? [] : ['-c', config];
  let privileged = false;
  return async (args, timeoutMs) => {
    const argv: Argv = ['supervisorctl', ...configured, ...args];
    const run = () => host.run({ argv, privileged, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
    let result = await run();
    if (!privileged && refused(result)) {
      privileged = true;
      result = await run();
      if (result.failure === 'not-permitted') privileged = false;
    }
    const trouble = troubleOf(result, host.name);
    return trouble === null ? success(result) : failure(trouble);
  };
}

const refused = (result: CommandResult): boolean =>
  !succeeded(result) && /PermissionError|Permission denied/.test(result.stdout + result.stderr);

/** Why supervisorctl could not speak with supervisord, with the remedy; null when it could. Exit codes alone do not tell. */
function troubleOf(result: CommandResult, host: string): string | null {
  const said = lastLines(`${result.stdout}\n${result.stderr}`);
  const tried = `\`${result.argv.join(' ')}\` on ${host}`;
  if (result.failure === 'not-found') return `${tried}: supervisorctl is not installed there or not on the PATH`;
  if (result.failure !== undefined) return `${tried}: ${result.failure}${said ? `: ${said}` : ''}`;
  if (succeeded(result)) return null;
  if (refused(result))
    return `${tried}: this user may not use supervisord's socket. Give its group access (\`chmod\` and \`chown\` under [unix_http_server]), or allow supervisorctl by sudo: \`nightshift doctor\` prints the line.`;
  if (/no such file$|refused connection|SHUTDOWN_STATE/m.test(result.stdout))
    return `${tried}: supervisord does not answer (${said}). Start it (\`sudo systemctl start supervisor\`), or name its configuration file as supervisor_config.`;
  if (/could not find config file/.test(result.stderr)) return `${tried}: ${said}. Check supervisor_config.`;
  if (/requires authentication|Unauthorized/.test(said))
    return `${tried}: supervisord wants a user name and a password: they belong into [supervisorctl] of its configuration file.`;
  return /^error: /m.test(result.stdout) ? `${tried}: ${said}` : null;
}
