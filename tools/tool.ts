import type { z } from 'zod';
import type { Clock } from '../src/base/clock.ts';
import type { Config, Risk, Service } from '../src/config/schema.ts';
import type { CheckResult } from '../src/health/check.ts';
import type { Host } from '../src/hosts/host.ts';
import type { ActionRecord, Incident, TimelineEntry } from '../src/incidents/incident.ts';
import type { Manager } from '../src/services/manager.ts';

/**
 * What a tool's arguments may name: the inventory, cut to the incident's dependency group so that the enums stay short.
 * In `ask` it is the whole inventory.
 */
export interface ToolScope {
  services: string[];
  hosts: string[];
}

/** Things found on the way (a pid, a file, a session) under the short-lived id the model may name them by. */
export interface Handles {
  /** Remembers a thing and gives its id, such as `pid-3`. The same thing gets the same id. */
  remember(kind: HandleKind, host: string, value: Record<string, string | number>): string;
  /** What an id stands for; null when it is unknown, or was last seen more than an hour ago. */
  recall(kind: HandleKind, id: string): { host: string; value: Record<string, string | number> } | null;
}
export type HandleKind = 'process' | 'file' | 'session' | 'release';

/** Copies of files that are kept for restoring: the last three that were there while the service's checks passed. */
export interface GoodCopies {
  /** Newest first. */
  list(service: string, path: string): { id: string; at: number; sha256: string; sizeBytes: number }[];
  read(id: string): Uint8Array;
}

/** What the past holds, for `incident_history`. */
export interface IncidentArchive {
  recent(filter: { service?: string; limit: number }): Incident[];
  timeline(incident: number): TimelineEntry[];
  actions(incident: number): ActionRecord[];
}

/** All that a tool is handed. It sees services, health, hosts and memory through this, and nothing else. */
export interface ToolContext {
  config: Config;
  scope: ToolScope;
  clock: Clock;
  host(name: string): Host;
  service(name: string): Service;
  manager(service: string): Manager | null;
  /** Measures a service's checks now, past the hysteresis. */
  measure(service: string): Promise<CheckResult[]>;
  latest(service: string): CheckResult[];
  archive: IncidentArchive;
  goodCopies: GoodCopies;
  handles: Handles;
  /** The value behind `env:NAME` or `file:PATH`. */
  secret(reference: string): string;
  /** Makes many log lines few, by pattern; without it `read_logs` shows the newest lines as they are. */
  condense?(
    text: string,
    options: { budgetTokens: number; since?: number },
  ): { text: string; lines: number; patterns: number };
  signal: AbortSignal;
}

/** Two channels: `content` is what a model reads (plain text), `details` what people, logs and runbooks read. */
export interface ToolResult<Details> {
  ok: boolean;
  content: string;
  details: Details;
}

/** What an acting tool says about itself before it runs, for the guard, the approver and the record. */
export interface ActionPlan {
  /** `restart cache`. */
  title: string;
  /** The service it touches: the guard counts attempts on it. */
  service: string;
  /** May be above the tool's own risk, never below. */
  risk: Risk;
  /** `none needed`, `none`, or how it is undone. */
  undo: string;
}

/** One typed thing the model may call. */
export interface Tool<Schema extends z.ZodObject = z.ZodObject, Details = unknown> {
  /** Snake case, and no part of another tool's name. */
  name: string;
  /** What it does and when to use it, in a sentence or two, for the model. */
  description: string;
  risk: Risk;
  /** Its arguments for one scope: what names things is an enum of the scope. */
  input(scope: ToolScope, config: Config): Schema;
  /** False when nothing in the scope is of its kind (no Redis, no log to rotate): then it is not worth offering. */
  applies?(scope: ToolScope, config: Config): boolean;
  /** The shape of `details`. */
  output: z.ZodType<Details>;
  /** Acting tools only, and required there: what it would do now, or why it will not. It changes nothing. */
  plan?(args: z.output<Schema>, context: ToolContext): Promise<{ plan: ActionPlan } | { refusal: string }>;
  run(args: z.output<Schema>, context: ToolContext): Promise<ToolResult<Details>>;
}

/** Lets a tool's types be inferred where it is defined. */
export const defineTool = <Schema extends z.ZodObject, Details>(tool: Tool<Schema, Details>): Tool<Schema, Details> =>
  tool;
