import type { Outcome } from '../base/outcome.ts';
import type { Risk } from '../config/schema.ts';
import type { CheckHistory, CheckResult, Verdict } from '../health/check.ts';
import type { ActionRecord, Incident, ProposedAction, TimelineEntry } from '../incidents/incident.ts';

export type TimelineDraft = Pick<TimelineEntry, 'type' | 'text'> & { data?: Record<string, unknown> };

/** Incidents: append-only events, and the state that follows from them. Each write is one transaction. */
export interface IncidentStore {
  /** Opens an incident: its number is the next one. */
  open(draft: Omit<Incident, 'id'>, entry: TimelineDraft): Incident;
  /** Appends to the timeline and, in the same transaction, changes the incident. Throws when there is no such incident. */
  append(
    id: number,
    entry: TimelineDraft,
    change?: Partial<Omit<Incident, 'id'>>,
  ): { incident: Incident; entry: TimelineEntry };
  get(id: number): Incident | null;
  /** Not resolved, oldest first. */
  unresolved(): Incident[];
  /** Newest first. */
  list(filter?: { service?: string; limit?: number; since?: number }): Incident[];
  timeline(id: number): TimelineEntry[];
  /** Entries written after `entryId` by any process, oldest first: how a running watch hears of other verbs. */
  entriesAfter(entryId: number): TimelineEntry[];
  lastEntryId(): number;
}

export interface ActionStore {
  /** On disk when it returns: written before the act. */
  intend(draft: Omit<ActionRecord, 'id' | 'state' | 'intendedAt' | 'endedAt' | 'outcome' | 'held'>): ActionRecord;
  /** Written after the act. */
  end(id: number, state: ActionRecord['state'], outcome: string): ActionRecord;
  setHeld(id: number, held: boolean): void;
  get(id: number): ActionRecord | null;
  of(incident: number): ActionRecord[];
  /** Begun but not ended: what a killed process left behind. */
  unfinished(): ActionRecord[];
  /** Those of `unfinished` whose process is gone, or that are more than an hour old: a verb beside the watch may be at work. */
  abandoned?(): ActionRecord[];
  /** Begun at or after `since` on a service, refused ones not counted, newest first. */
  recent(filter: { service?: string; since: number }): ActionRecord[];
}

export type ApprovalState = 'waiting' | 'approved' | 'denied' | 'expired' | 'used';

/** A question to a person: may this one action be done? No answer is no. */
export interface Approval {
  /** Shown as A7. */
  id: number;
  incident: number | null;
  action: ProposedAction;
  title: string;
  service: string;
  risk: Risk;
  undo: string;
  by: string;
  askedAt: number;
  expiresAt: number;
  state: ApprovalState;
  decidedAt: number | null;
  because: string | null;
}

export interface ApprovalStore {
  ask(draft: Omit<Approval, 'id' | 'state' | 'decidedAt' | 'because'>): Approval;
  /** Single use, and only while waiting and not expired; null when it cannot be decided any more. */
  decide(id: number, state: 'approved' | 'denied', because: string | null): Approval | null;
  /** Takes an approved one for use, once; null when it is not there to be used. */
  use(id: number): Approval | null;
  get(id: number): Approval | null;
  list(filter?: { state?: ApprovalState; incident?: number }): Approval[];
  /** Marks those past their time, and returns them. */
  expire(): Approval[];
  /** Ends what waits for an answer, or to be used, in an incident that is over. */
  withdraw?(incident: number): void;
}

/** One thing that was tried for one signature, and how it has fared. */
export interface MemoryCase {
  id: number;
  signature: string;
  service: string;
  cause: string;
  /** The incident it was first seen in. */
  incident: number;
  lastIncident: number;
  actions: ProposedAction[];
  /** Who found it: `person`, `runbook NAME`, `model NAME`. */
  foundBy: string;
  resolution: string;
  held: number;
  failed: number;
  lastAt: number;
}

export interface MemoryStore {
  /** Counts one more time this way of resolving a signature held or failed; near-identical ones become one case. */
  record(draft: Omit<MemoryCase, 'id' | 'held' | 'failed' | 'lastAt' | 'lastIncident'>, held: boolean): MemoryCase;
  /** The same signature, most held first. */
  bySignature(signature: string): MemoryCase[];
  list(limit?: number): MemoryCase[];
}

export interface Uptime {
  /** 0 to 1, over the time that was measured; null when none was. */
  day: number | null;
  week: number | null;
  month: number | null;
}

export interface HealthStore extends CheckHistory {
  /** Keeps the latest result of each check, its value as a sample (31 days), and the spans of a service's verdict. */
  record(results: readonly CheckResult[]): void;
  latest(service?: string): CheckResult[];
  ping(name: string): void;
  /** The worst verdict of a service's checks after hysteresis, from now on: what uptime is made of. */
  setServiceVerdict(service: string, verdict: Verdict): void;
  uptime(service: string): Uptime;
}

/** Small values by name: last cycle, allowances of runbook commands, hysteresis windows. Always JSON. */
export interface Settings {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  all(prefix: string): { name: string; value: unknown }[];
}

/** A request to a cloud model, exactly as it was sent (after redaction). */
export interface SentRequest {
  provider: string;
  model: string;
  body: string;
  inputTokens: number;
  outputTokens: number;
  cost: number | null;
  incident: number | null;
}

/** Everything that is kept. SQLite in the state folder. */
export interface Store {
  readonly folder: string;
  readonly incidents: IncidentStore;
  readonly actions: ActionStore;
  readonly approvals: ApprovalStore;
  readonly memory: MemoryStore;
  readonly health: HealthStore;
  readonly settings: Settings;
  keepSent(request: SentRequest): void;
  /** What went to cloud models, newest first. */
  sent?(filter?: { incident?: number; limit?: number }): (SentRequest & { id: number; at: number })[];
  /** What a person must hear about the store itself: it was damaged and restored, say. Empty as a rule. */
  readonly warnings?: readonly string[];
  /** Several reads and writes as one, against other processes, too: all are kept or none. Not for asynchronous work. */
  transaction?<Value>(work: () => Value): Value;
  /** Makes today's backup unless there is one: its path, or null when the newest is less than a day old. */
  backup?(): Promise<Outcome<string | null>>;
  /** Builds the incidents anew from the timeline and says how many there are. */
  rebuildIncidents?(): number;
  close(): void;
}
