import type { ServiceStatus } from '../../services/manager.ts';
import { identityOf, isPaused } from '../../services/process-table.ts';
import { factWord } from '../fact-names.ts';
import type { FactContext, FactSource } from './collect.ts';

/** Between two looks at a service that its manager has restarted of late. */
const SECOND_LOOK_MS = 1500;
/** A service that has been up for longer is not in a loop now, however often it was restarted before. */
const FRESH_MS = 60_000;
/** So many restarts by its manager are no longer an accident. systemd gives up after 5 in 10 s, supervisor after 3. */
const MANY_RESTARTS = 3;

/** How the service's process is, by its manager and by the process table. */
export const processFacts: FactSource = async (context, collect) => {
  const status = await context.status;
  if (!status) return;
  const { service, tools, incident } = context;
  const now = tools.clock.now();
  const process = await processStatus(status, context);
  const uptime = status.since === null ? undefined : Math.max(0, now - status.since);
  const up = process === 'running' || process === 'starting';
  const age = uptime ?? (process === 'starting' ? now - incident.since : undefined);
  collect.set({
    process_status: process,
    manager_state: status.state,
    reloadable: service.manager !== 'process' || service.reload_signal !== undefined,
    manager_health: status.health,
    stopped_on_purpose: status.stoppedOnPurpose,
    exit_code: status.exitCode,
    exit_signal: status.exitSignal ?? (status.exitCode === null ? undefined : 'none'),
    restarts: status.restarts,
    out_of_memory: status.outOfMemory,
    uptime,
    within_start_time: up && age !== undefined ? age < service.starts_within : undefined,
    ...aliases(service, process),
  });
  collect.quote(`manager:${service.name}`, `status(${service.name})`, status.summary, [
    'process_status',
    'manager_state',
    'manager_health',
    'stopped_on_purpose',
    'exit_code',
    'exit_signal',
    'restarts',
    'restarts_climbing',
    'out_of_memory',
    'uptime',
    'within_start_time',
  ]);
  collect.set({ restarts_climbing: await climbing(status, context) });
};

/** One word for the process: what its manager calls failed, stopped or absent is `dead`. */
async function processStatus(status: ServiceStatus, { host }: FactContext): Promise<string | undefined> {
  switch (status.state) {
    case 'stopped':
    case 'failed':
    case 'absent':
      return 'dead';
    case 'unknown':
      return undefined;
    case 'running': {
      // Most managers call a process that was stopped by a signal running.
      const identity = status.mainPid === null ? null : await identityOf(host, status.mainPid);
      return identity?.ok && identity.value && isPaused(identity.value.state) ? 'paused' : 'running';
    }
    default:
      return status.state;
  }
}

/** `worker_process_status` for the services `worker_3` and `mail` (unit `worker_mail`). */
function aliases(service: FactContext['service'], process: string | undefined): Record<string, string | undefined> {
  const words = [service.name, service.unit, service.kind ?? ''].flatMap((name) => [
    factWord(name),
    ...name
      .toLowerCase()
      .split(/[^a-z0-9]+/)
      .flatMap((word) => [word, word.replace(/s?\d*$/, '')]),
  ]);
  return Object.fromEntries(words.filter((word) => word !== '').map((word) => [`${word}_process_status`, process]));
}

/** Whether its manager restarts it again and again: seen by looking twice, or by what this incident saw before. */
async function climbing(status: ServiceStatus, context: FactContext): Promise<boolean | undefined> {
  const { restarts, state } = status;
  if (restarts === null) return undefined;
  const { tools, service, incident } = context;
  const fresh = state !== 'running' || (status.since !== null && tools.clock.now() - status.since < FRESH_MS);
  if (restarts === 0 || !fresh || state === 'stopped') return false;
  if (state === 'failed') return restarts >= MANY_RESTARTS;
  if (restarts > seenBefore(context)) return true;
  const manager = tools.manager(service.name);
  await tools.clock.sleep(SECOND_LOOK_MS, tools.signal);
  const again = await manager?.status();
  if (!again?.ok) return undefined;
  if ((again.value.restarts ?? 0) > restarts) return true;
  // Docker waits longer each time: a service that is between two of many starts is in a loop, too.
  const waiting = again.value.state === 'starting' || again.value.state === 'failed';
  return waiting && restarts >= MANY_RESTARTS && tools.clock.now() - incident.since > 0;
}

/** The restarts that an earlier look in this incident counted; so high that none is more when there was none. */
function seenBefore({ tools, incident }: FactContext): number {
  const earlier = tools.archive
    .timeline(incident.id)
    .filter((entry) => entry.type === 'facts')
    .map((entry) => entry.data.facts)
    .flatMap((facts) => (typeof facts === 'object' && facts !== null && 'restarts' in facts ? [facts.restarts] : []))
    .filter((count) => typeof count === 'number');
  // One more restart than before may be the one we did; two are not.
  return earlier.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...earlier) + 1;
}
