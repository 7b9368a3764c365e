import type { ServiceState, ServiceStatus } from './manager.ts';

/** Worst first: what one instance is in, the service is in. */
const WORST_FIRST: readonly ServiceState[] = [
  'failed',
  'unknown',
  'stopped',
  'paused',
  'stopping',
  'starting',
  'absent',
  'running',
];

/** A service of several instances (replicas, a process group, a cluster) is as well as its worst one. */
export function combineStatus(instances: readonly { name: string; status: ServiceStatus }[]): ServiceStatus | null {
  const [worst, ...others] = instances.toSorted(
    (one, other) => WORST_FIRST.indexOf(one.status.state) - WORST_FIRST.indexOf(other.status.state),
  );
  if (!worst) return null;
  if (others.length === 0) return worst.status;
  const running = instances.filter(({ status }) => status.state === 'running');
  const restarts = instances.map(({ status }) => status.restarts).filter((count) => count !== null);
  const sick = instances.find(({ status }) => status.health === 'unhealthy');
  const count = `${running.length} of ${instances.length} running`;
  const notable = worst.status.state === 'running' ? sick : worst;
  return {
    ...worst.status,
    restarts: restarts.length > 0 ? restarts.reduce((sum, each) => sum + each, 0) : null,
    health: sick ? 'unhealthy' : worst.status.health,
    summary: notable ? `${count}; ${notable.name}: ${notable.status.summary}` : count,
  };
}

/** Its manager knows nothing of that name; the summary says how to mend that. */
export const absentStatus = (summary: string): ServiceStatus => ({
  state: 'absent',
  mainPid: null,
  since: null,
  exitCode: null,
  exitSignal: null,
  restarts: null,
  outOfMemory: false,
  stoppedOnPurpose: null,
  health: null,
  summary,
});
