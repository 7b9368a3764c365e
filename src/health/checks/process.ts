import process from 'node:process';
import type { CheckConfig } from '../../config/checks.ts';
import type { ServiceState } from '../../services/manager.ts';
import type { CheckContext, CheckRunner, Measurement } from '../check.ts';
import { down, unmeasured } from '../finding.ts';
import { listProcesses } from '../processes.ts';

/** Processes that should exist: the main one of the service, or a number of them with a text in their command line. */
const run: CheckRunner<'process'> = (check, context) =>
  check.settings.process === 'main'
    ? mainProcess(check, context)
    : matching(check, check.settings.process.match, context);

export { run as process };

async function mainProcess(check: CheckConfig<'process'>, { manager, service }: CheckContext): Promise<Measurement> {
  if (!manager) return unmeasured('no-manager', `${service.name} has no manager that knows its main process`);
  const status = await manager.status();
  if (!status.ok) {
    const away = /unreachable|cannot be reached/i.test(status.error);
    return unmeasured(away ? 'host-unreachable' : 'status-unknown', status.error);
  }
  const { state, mainPid, restarts, exitCode, exitSignal, outOfMemory, stoppedOnPurpose, summary } = status.value;
  const facts = {
    state,
    pid: mainPid,
    restarts,
    exit_code: exitCode,
    exit_signal: exitSignal,
    out_of_memory: outOfMemory,
    stopped_on_purpose: stoppedOnPurpose,
  };
  if (state === 'running')
    return { verdict: 'ok', summary: mainPid === null ? 'running' : `running, pid ${mainPid}`, facts };
  if (state === 'unknown') return unmeasured('status-unknown', summary, { facts });
  const reason: Exclude<ServiceState, 'running' | 'unknown'> | 'out-of-memory' = outOfMemory ? 'out-of-memory' : state;
  return down(check, reason, summary, { facts });
}

async function matching(check: CheckConfig<'process'>, text: string, context: CheckContext): Promise<Measurement> {
  const listed = await listProcesses(context, check.withinMs);
  if (!listed.ok) return listed.measurement;
  const own = context.host.kind === 'local' ? process.pid : -1;
  const found = listed.processes.filter(
    ({ pid, command, state }) => pid !== own && state !== 'Z' && command.includes(text),
  );
  const paused = found.filter(({ state }) => state === 'T').length;
  const { min = 1, max } = check.settings;
  const count = found.length;
  const more = { value: count, unit: 'processes', facts: { count, paused, pid: found[0]?.pid ?? null } };
  const summary = count === 1 ? `1 process, pid ${found[0]?.pid}` : `${count} processes`;
  if (count < min)
    return down(check, count === 0 ? 'absent' : 'too-few', `${summary} with "${text}", at least ${min} expected`, more);
  if (max !== undefined && count > max)
    return down(check, 'too-many', `${summary} with "${text}", at most ${max} expected`, more);
  if (count - paused < min) return down(check, 'paused', `${summary}, ${paused} of them stopped (SIGSTOP)`, more);
  return { verdict: 'ok', summary, ...more };
}
