import type { HealthReport } from '../health/check.ts';
import type { Incident, TimelineEntry } from '../incidents/incident.ts';
import type { AgentEvent } from './events.ts';

/** Everything that a running watch says. The terminal and the log are readers of these. */
export type WatchEvent =
  | {
      type: 'watch-start';
      at: number;
      services: number;
      checks: number;
      models: { name: string; ready: boolean; message: string }[];
    }
  | { type: 'report'; report: HealthReport; changed: boolean }
  | { type: 'timeline'; entry: TimelineEntry; incident: Incident }
  | { type: 'agent'; incident: number; event: AgentEvent }
  | { type: 'warning'; at: number; text: string }
  | { type: 'config-changed'; at: number; text: string }
  | { type: 'watch-end'; at: number };
