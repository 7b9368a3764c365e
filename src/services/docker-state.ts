import { constants } from 'node:os';
import { z } from 'zod';
import { failure, type Outcome, success } from '../base/outcome.ts';
import type { ServiceState, ServiceStatus } from './manager.ts';
import { parseJson } from './said.ts';

/** What we ask of `docker inspect`: not all of it, because the rest holds the container's environment with its secrets. */
export const INSPECT_FORMAT =
  '{"Id":{{json .Id}},"Name":{{json .Name}},"State":{{json .State}},' +
  '"RestartCount":{{json .RestartCount}},"RestartPolicy":{{json .HostConfig.RestartPolicy}}}';

const inspectSchema = z.object({
  Id: z.string(),
  Name: z.string().transform((name) => name.replace(/^\//, '')),
  State: z.object({
    Status: z.string(),
    ExitCode: z.int(),
    Error: z.string().default(''),
    OOMKilled: z.boolean().default(false),
    Pid: z.int().default(0),
    StartedAt: z.string(),
    FinishedAt: z.string(),
    Health: z.object({ Status: z.string() }).nullish(),
  }),
  RestartCount: z.int().default(0),
  RestartPolicy: z.object({ Name: z.string(), MaximumRetryCount: z.int().default(0) }).nullish(),
});

/** One container as `docker inspect` tells it. */
export type Container = z.output<typeof inspectSchema>;

/** Containers of `docker inspect --format INSPECT_FORMAT`, one JSON object a line. */
export function parseContainers(stdout: string): Outcome<Container[]> {
  const containers: Container[] = [];
  for (const line of stdout.split('\n').filter((text) => text.trim() !== '')) {
    const parsed = inspectSchema.safeParse(parseJson(line));
    if (!parsed.success) return failure(`docker inspect gave something unexpected: ${z.prettifyError(parsed.error)}`);
    containers.push(parsed.data);
  }
  return success(containers);
}

/** Docker writes a time that never was as the year 1. */
function timeOf(text: string): number | null {
  const time = Date.parse(text);
  return Number.isFinite(time) && time > 0 ? time : null;
}

export const finishedAt = (container: Container): number | null => timeOf(container.State.FinishedAt);

/** True while it neither runs nor is about to. */
export const hasEnded = (container: Container): boolean =>
  ['exited', 'dead', 'created'].includes(container.State.Status);

/**
 * What the restart policy says about an ended container: docker starts one with `always` or `unless-stopped` again unless
 * somebody stopped it. Null when the policy leaves it open.
 */
export function stoppedByPolicy(container: Container): boolean | null {
  const policy = container.RestartPolicy?.Name ?? 'no';
  return (policy === 'always' || policy === 'unless-stopped') && container.State.Status === 'exited' ? true : null;
}

const SIGNAL_NAMES = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** 137 is 128 + 9: ended by SIGKILL, as shells and docker write it. */
const signalOfExitCode = (exitCode: number): string | null =>
  exitCode > 128 ? (SIGNAL_NAMES.get(exitCode - 128) ?? null) : null;

const HEALTH = z.enum(['healthy', 'unhealthy', 'starting']).nullable().catch(null);

/** Docker's word for a container in ours. */
function stateOf(container: Container, onPurpose: boolean | null): ServiceState {
  const { Status, ExitCode, Error: trouble, OOMKilled } = container.State;
  switch (Status) {
    case 'running':
    case 'paused':
      return Status;
    case 'restarting':
      return 'starting';
    case 'removing':
    case 'stopping':
      return 'stopping';
    case 'created':
    case 'exited':
      return (ExitCode === 0 && trouble === '' && !OOMKilled) || onPurpose === true ? 'stopped' : 'failed';
    case 'dead':
      return 'failed';
    default:
      return 'unknown';
  }
}

/** A container as the status of a service. `onPurpose` is what the daemon's events know of its end. */
export function statusOf(container: Container, onPurpose: boolean | null): ServiceStatus {
  const { Status, ExitCode, OOMKilled, Pid, StartedAt } = container.State;
  const ended = hasEnded(container);
  const state = stateOf(container, onPurpose);
  const lives = Status === 'running' || Status === 'paused';
  const health = lives ? HEALTH.parse(container.State.Health?.Status ?? null) : null;
  const everRan = timeOf(StartedAt) !== null;
  return {
    state,
    mainPid: lives && Pid > 0 ? Pid : null,
    since: lives ? timeOf(StartedAt) : finishedAt(container),
    exitCode: lives || (!everRan && ExitCode === 0) ? null : ExitCode,
    exitSignal: lives ? null : signalOfExitCode(ExitCode),
    restarts: container.RestartCount,
    outOfMemory: !lives && OOMKilled,
    stoppedOnPurpose: ended ? onPurpose : false,
    health,
    summary: summaryOf(container, onPurpose, health),
  };
}

function summaryOf(container: Container, onPurpose: boolean | null, health: ServiceStatus['health']): string {
  const { Status, Error: trouble } = container.State;
  if (Status === 'running') return health && health !== 'healthy' ? `running, health: ${health}` : 'running';
  if (Status === 'paused') return 'paused (docker pause)';
  if (Status === 'restarting')
    return `restarting: ${lastExit(container)}, restarted ${container.RestartCount} times by docker`;
  if (trouble) return `not running, docker could not start it: ${trouble}`;
  if (Status === 'created') return 'created, never started';
  if (onPurpose) return `stopped by docker stop, ${lastExit(container)}`;
  return `not running, ${lastExit(container)}`;
}

function lastExit(container: Container): string {
  const { ExitCode, OOMKilled } = container.State;
  if (OOMKilled) return `ended for want of memory (exit code ${ExitCode})`;
  const signal = signalOfExitCode(ExitCode);
  return `last exit: ${signal ? `${signal} (exit code ${ExitCode})` : `exit code ${ExitCode}`}`;
}
