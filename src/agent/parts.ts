import type { Memory } from '../../memory/memory.ts';
import type { Tool, ToolContext, ToolScope } from '../../tools/tool.ts';
import type { Clock } from '../base/clock.ts';
import type { Config } from '../config/schema.ts';
import type { Guard } from '../guard/guard.ts';
import type { CheckResult } from '../health/check.ts';
import type { Monitor } from '../health/monitor.ts';
import type { Host } from '../hosts/host.ts';
import type { EscalationOutbox } from '../incidents/escalation.ts';
import type { DependencyGraph } from '../incidents/graph.ts';
import type { Incident, TimelineEntry } from '../incidents/incident.ts';
import type { ModelProvider } from '../models/provider.ts';
import type { Runbook } from '../runbooks/runbook.ts';
import type { Manager } from '../services/manager.ts';
import type { Store, TimelineDraft } from '../store/store.ts';
import type { AgentEvent } from './events.ts';

/** A model, or several behind one another: what the loop asks. */
export type Model = Pick<ModelProvider, 'stream' | 'contextTokens'>;

/** All that the agent is handed. It builds nothing itself: `app.ts` does. */
export interface AgentParts {
  config: Config;
  graph: DependencyGraph;
  clock: Clock;
  store: Store;
  monitor: Monitor;
  guard: Guard;
  memory: Memory;
  runbooks: Runbook[];
  tools: readonly Tool[];
  /** Null when no model is configured. */
  model: Model | null;
  outbox: EscalationOutbox;
  redact: (text: string) => string;
  toolContext: (scope: ToolScope, signal: AbortSignal) => ToolContext;
  /** Opens an incident, redacted, and tells whoever listens. */
  open: (draft: Omit<Incident, 'id'>, entry: TimelineDraft) => Incident;
  /** Appends to an incident's timeline, redacted, and tells whoever listens. */
  record: (incident: number, entry: TimelineDraft, change?: Partial<Omit<Incident, 'id'>>) => Incident;
  /** Takes results into the store and the hysteresis, as if the schedule had measured them. */
  ingest: (results: CheckResult[]) => void;
  /** The latest result of a check, as this process has measured or found it. */
  latest: (check: string) => CheckResult | undefined;
  /** Listeners for the terminal and the log. */
  listen: (listener: (entry: TimelineEntry, incident: Incident) => void) => void;
  onAgent: (listener: (incident: number, event: AgentEvent) => void) => void;
  /** Tells the listeners of `onAgent`. */
  tellAgent: (incident: number, event: AgentEvent) => void;
  host: (name: string) => Host;
  manager: (service: string) => Manager | null;
  keepGoodCopy: (service: string, path: string, bytes: Uint8Array) => void;
}
