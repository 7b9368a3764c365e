import { failure, type Outcome, success } from '../base/outcome.ts';
import { type CommandResult, succeeded } from '../hosts/host.ts';
import { readLogFiles } from './log-files.ts';
import type { LogText, LogWindow, Manager, ManagerContext } from './manager.ts';
import { identityOf, isPaused } from './process-table.ts';
import { PROPERTIES, parseProperties, statusOfUnit, stoppedByJob, type UnitProperties } from './systemd-status.ts';
import { unitName } from './unit-name.ts';

const DEFAULT_LOG_BYTES = 1024 * 1024;
const POLL_MS = 250;
const KILL_WAIT_MS = 5000;
/** A program that cannot work mostly ends within this; Type=simple units count as started before that. */
const WATCHED_MS = 500;

/** A unit of systemd, of the system or (with `user: true`) of the user. */
export function createSystemdManager(context: ManagerContext): Manager {
  const { service, host, clock } = context;
  const unit = unitName(service.unit);
  const scope = service.user ? ['--user'] : [];
  // A pattern would act on every unit it fits, and a dash in front would make it an option.
  const unfit = /^-|[*?[\]]/.test(unit) ? failure(`"${unit}" is not the name of one unit`) : null;

  const systemctl = (verb: readonly string[], timeoutMs: number, change = true): Promise<CommandResult> =>
    host.run({
      argv: ['systemctl', ...scope, ...verb, unit],
      timeoutMs,
      environment: { TZ: 'UTC' },
      privileged: change && !service.user,
    });

  const show = async (): Promise<Outcome<UnitProperties>> => {
    if (unfit) return unfit;
    const result = await systemctl(['show', '-p', PROPERTIES.join(',')], 10_000, false);
    if (!succeeded(result)) return failure(`could not ask systemd about ${unit}: ${said(result)}`);
    return success(parseProperties(result.stdout));
  };

  /** Waits until the unit is in none of the given states, or the time is over; then says what it is in. */
  const leave = async (states: readonly string[], milliseconds: number): Promise<Outcome<UnitProperties>> => {
    const until = clock.now() + milliseconds;
    for (;;) {
      const now = await show();
      if (!now.ok || !states.includes(now.value.ActiveState ?? '') || clock.now() >= until) return now;
      await clock.sleep(POLL_MS);
    }
  };

  /** Runs a stop or restart; when it does not end within the drain time, everything in the unit gets SIGKILL. */
  const drained = async (verb: 'stop' | 'restart'): Promise<Outcome<{ killed: boolean; unit: UnitProperties }>> => {
    if (unfit) return unfit;
    const result = await systemctl([verb], service.drain);
    if (result.failure !== 'timed-out') {
      if (!succeeded(result)) return failure(`could not ${verb} ${unit}: ${await why(result)}`);
      const now = await show();
      return now.ok ? success({ killed: false, unit: now.value }) : now;
    }
    const late = await show();
    if (!late.ok) return late;
    const stuck = late.value.ActiveState === 'deactivating';
    if (stuck) {
      const killed = await systemctl(['kill', '-s', 'SIGKILL'], 10_000);
      if (!succeeded(killed))
        return failure(`${unit} did not end within ${service.drain / 1000} s, and SIGKILL failed: ${said(killed)}`);
    }
    const after = await leave(['deactivating'], KILL_WAIT_MS);
    return after.ok ? success({ killed: stuck, unit: after.value }) : after;
  };

  const journalTail = async (): Promise<string> => {
    const read = await readJournal({ maxBytes: 4000 });
    const lines = read.ok ? read.value.text.trimEnd().split('\n').slice(-5).join('\n') : '';
    return lines === '' ? '' : `; last lines of its journal:\n${lines}`;
  };

  /** What to say of a command that failed; when systemd ran it, its journal says why. */
  const why = async (result: CommandResult): Promise<string> =>
    said(result) + (result.failure === undefined ? await journalTail() : '');

  /** systemd refuses to start what it started too often, until it is told to forget that. */
  const forgive = async (): Promise<Outcome<void>> => {
    const before = await show();
    if (!before.ok) return before;
    if (before.value.LoadState === 'not-found') return failure(`there is no unit ${unit}`);
    if (before.value.LoadState === 'masked')
      return failure(`${unit} is masked: somebody made sure that it cannot start`);
    if (before.value.ActiveState !== 'failed') return success(undefined);
    const reset = await systemctl(['reset-failed'], 10_000);
    return succeeded(reset) ? success(undefined) : failure(`could not reset ${unit}: ${said(reset)}`);
  };

  /** Type=simple counts as started before its program has done anything: look again a moment later. */
  const lives = async (what: string, restartsBefore = 0): Promise<Outcome<string>> => {
    await clock.sleep(WATCHED_MS);
    const now = await leave(['activating'], 0);
    if (!now.ok) return now;
    const { ActiveState = 'unknown', SubState = '?', MainPID = '0', Type } = now.value;
    const finished = Type === 'oneshot' && ActiveState === 'inactive';
    // A crash loop is `active` for a moment again and again; the count starts anew with each start by hand.
    const died = Number(now.value.NRestarts ?? 0) > restartsBefore;
    if (!died && (ActiveState === 'active' || finished))
      return success(`${what} ${unit}${MainPID === '0' ? '' : `, process ${MainPID}`}`);
    if (!died && ActiveState === 'activating' && !SubState.startsWith('auto-restart'))
      return success(`${what} ${unit}; it is still starting (${SubState})`);
    const status = statusOfUnit(now.value, false, null);
    return failure(`${what} ${unit}, but it did not stay: ${status.summary}${await journalTail()}`);
  };

  /** An ordinary user outside the group systemd-journal is shown nothing, and told so on the side. */
  const isClosed = (result: CommandResult): boolean =>
    !service.user && /not seeing messages|insufficient permissions|Permission denied/i.test(result.stderr);

  const readJournal = async (window: LogWindow): Promise<Outcome<LogText>> => {
    const maxBytes = window.maxBytes ?? DEFAULT_LOG_BYTES;
    const bounds = [
      ...(window.since === undefined ? [] : [`--since=@${Math.floor(window.since / 1000)}`]),
      ...(window.until === undefined ? [] : [`--until=@${Math.ceil(window.until / 1000)}`]),
      // The newest lines, and not much more of them than can be kept.
      `--lines=${Math.max(100, Math.ceil(maxBytes / 40))}`,
    ];
    const args = [...scope, `--unit=${unit}`, '--no-pager', '--output=short-iso', ...bounds];
    const read = (privileged: boolean) =>
      host.run({ argv: ['journalctl', ...args], maxBytes, timeoutMs: 30_000, privileged });
    let result = await read(false);
    const closed = isClosed(result);
    if (closed) result = await read(true);
    if (!succeeded(result)) {
      const advice = closed ? ' (a member of the group systemd-journal may read it)' : '';
      return failure(`could not read the journal of ${unit}: ${said(result)}${advice}`);
    }
    const lines = result.stdout.split('\n').filter((line) => !line.startsWith('-- '));
    return success({ text: lines.join('\n').trimEnd(), source: 'journald', truncated: result.truncated });
  };

  /** Why an inactive unit is inactive: only systemd's own messages of this boot can tell. */
  const wasStopped = async (): Promise<boolean | null> => {
    const field = service.user ? 'USER_UNIT' : 'UNIT';
    const from = service.user ? '_COMM=systemd' : '_PID=1';
    const fields = ['-b', '-n', '20', '-o', 'json', '--output-fields=MESSAGE_ID,JOB_TYPE', from, `${field}=${unit}`];
    const read = (privileged: boolean) =>
      host.run({ argv: ['journalctl', ...scope, ...fields], timeoutMs: 10_000, privileged });
    let result = await read(false);
    if (isClosed(result)) result = await read(true);
    return succeeded(result) && !isClosed(result) ? stoppedByJob(result.stdout) : null;
  };

  return {
    kind: 'systemd',
    status: async () => {
      const found = await show();
      if (!found.ok) return found;
      const { ActiveState, MainPID = '0' } = found.value;
      const main = ActiveState === 'active' && MainPID !== '0' ? await identityOf(host, Number(MainPID)) : null;
      const paused = main?.ok === true && main.value !== null && isPaused(main.value.state);
      const ended = ActiveState === 'inactive' || ActiveState === 'failed';
      const onPurpose = ended && found.value.LoadState === 'loaded' ? await wasStopped() : null;
      return success(statusOfUnit(found.value, paused, onPurpose));
    },
    start: async () => {
      const ready = await forgive();
      if (!ready.ok) return ready;
      const result = await systemctl(['start'], service.starts_within);
      if (result.failure === 'timed-out') return success(`asked systemd to start ${unit}; it is still starting`);
      if (!succeeded(result)) return failure(`could not start ${unit}: ${await why(result)}`);
      return lives('started');
    },
    stop: async () => {
      const done = await drained('stop');
      if (!done.ok) return done;
      const { killed, unit: now } = done.value;
      if (now.ActiveState === 'deactivating' || now.ActiveState === 'active') {
        return failure(
          `${unit} is still ${now.ActiveState} (${now.SubState}) after stop${killed ? ' and SIGKILL' : ''}`,
        );
      }
      return success(
        `stopped ${unit}${killed ? ` by SIGKILL, not having ended within ${service.drain / 1000} s` : ''}`,
      );
    },
    restart: async () => {
      const ready = await forgive();
      if (!ready.ok) return ready;
      const done = await drained('restart');
      if (!done.ok) return done;
      await leave(['activating', 'deactivating'], service.starts_within);
      return lives(done.value.killed ? 'restarted (the old one only ended by SIGKILL)' : 'restarted');
    },
    reload: async () => {
      const found = await show();
      if (!found.ok) return found;
      if (found.value.CanReload !== 'yes')
        return failure(`${unit} cannot reload; only a restart makes it read its configuration`);
      const result = await systemctl(['reload'], service.starts_within);
      return succeeded(result)
        ? lives('reloaded', Number(found.value.NRestarts ?? 0))
        : failure(`could not reload ${unit}: ${await why(result)}`);
    },
    logs: async (window) => {
      if (unfit) return unfit;
      const journal = await readJournal(window);
      if (service.logs.length === 0) return journal.ok ? success([journal.value]) : journal;
      const files = await readLogFiles(host, service.logs, window);
      // What systemd says of a failed start stands only in the journal.
      return files.ok && journal.ok
        ? success([...files.value, journal.value])
        : files.ok
          ? files
          : journal.ok
            ? success([journal.value])
            : files;
    },
  };
}

const said = (result: CommandResult): string =>
  result.stderr.trim().replace(/\s*\n\s*/g, '; ') || result.failure || `exit code ${result.exitCode}`;
