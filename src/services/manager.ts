import type { Clock } from '../base/clock.ts';
import type { Outcome } from '../base/outcome.ts';
import type { ManagerKind, Service } from '../config/schema.ts';
import type { Host } from '../hosts/host.ts';

/** `starting` covers recovery and restart delays of the manager; `paused` is a stopped (SIGSTOP, docker pause) process. */
export type ServiceState = 'running' | 'starting' | 'stopping' | 'stopped' | 'failed' | 'paused' | 'absent' | 'unknown';

/** What a manager knows of a service at one time. */
export interface ServiceStatus {
  state: ServiceState;
  mainPid: number | null;
  /** When it entered this state, in milliseconds since the epoch. */
  since: number | null;
  exitCode: number | null;
  /** Such as `SIGKILL`. */
  exitSignal: string | null;
  /** How often its manager has restarted it by itself. */
  restarts: number | null;
  /** True when it was ended for want of memory. */
  outOfMemory: boolean;
  /** True when a person stopped it (it stays stopped); null when that cannot be known. */
  stoppedOnPurpose: boolean | null;
  /** The manager's own health verdict (docker HEALTHCHECK), if it has one. */
  health: 'healthy' | 'unhealthy' | 'starting' | null;
  /** One line for people: `not running, last exit: signal 9`. */
  summary: string;
}

export interface LogWindow {
  /** Milliseconds since the epoch. */
  since?: number;
  until?: number;
  /** The newest this many bytes at the most. Default 1 MB. */
  maxBytes?: number;
}

export interface LogText {
  text: string;
  /** Where it came from: a path, `journald`, `docker logs`. */
  source: string;
  truncated: boolean;
}

/** What can start, stop and restart one service and say how it is. Failure is a value: what was tried and what came back. */
export interface Manager {
  readonly kind: ManagerKind;
  status(): Promise<Outcome<ServiceStatus>>;
  start(): Promise<Outcome<string>>;
  /** SIGTERM, then the drain time of the service, only then SIGKILL. */
  stop(): Promise<Outcome<string>>;
  restart(): Promise<Outcome<string>>;
  /** Makes it read its configuration again without ending it; an error where it cannot. */
  reload(): Promise<Outcome<string>>;
  logs(window: LogWindow): Promise<Outcome<LogText[]>>;
}

export interface ManagerContext {
  service: Service;
  host: Host;
  clock: Clock;
}
