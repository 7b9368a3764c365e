import type { ToolContext } from '../../../tools/tool.ts';
import type { Scalar } from '../../base/scalar.ts';
import type { Service } from '../../config/schema.ts';
import type { CheckResult } from '../../health/check.ts';
import type { Host } from '../../hosts/host.ts';
import type { Evidence, Facts, Incident } from '../../incidents/incident.ts';
import type { ServiceStatus } from '../../services/manager.ts';

/** What a source of facts is handed. What several of them need is measured once. */
export interface FactContext {
  incident: Incident;
  service: Service;
  host: Host;
  tools: ToolContext;
  /** The service's checks, measured now. */
  results: Promise<CheckResult[]>;
  /** What its manager says; null when it has none or it could not tell. */
  status: Promise<ServiceStatus | null>;
  /** The checks of the host's pseudo-service, measured now; empty when there is none. */
  machine: Promise<CheckResult[]>;
}

/** Measures some facts into the collector. It may throw or hang: the others go on without it. */
export type FactSource = (context: FactContext, collect: Collector) => Promise<void>;

/** Takes in facts and what they rest on. A fact that was not measured is never set. */
export interface Collector {
  readonly facts: Facts;
  readonly evidence: Evidence[];
  set(values: Record<string, Scalar | undefined>): void;
  /** `quote` is text as it was found; `facts` the names that rest on it. The same text again only adds its names. */
  quote(source: string, title: string, quote: string, facts: string[]): void;
}

/** A check that says something is wrong; one that could not be measured says nothing. */
export const isFailing = ({ verdict }: Pick<CheckResult, 'verdict'>): boolean =>
  verdict === 'warn' || verdict === 'critical';

const LONGEST_QUOTE = 300;

export function createCollector(): Collector {
  const facts: Facts = {};
  const evidence: Evidence[] = [];
  return {
    facts,
    evidence,
    set(values) {
      for (const [name, value] of Object.entries(values)) {
        if (value === undefined || value === null || (typeof value === 'number' && !Number.isFinite(value))) continue;
        facts[name] = typeof value === 'string' ? value.slice(0, 500) : value;
      }
    },
    quote(source, title, quote, names) {
      const text = quote.trim().slice(0, LONGEST_QUOTE);
      if (text === '') return;
      const same = evidence.find((each) => each.source === source && each.title === title && each.quote === text);
      if (same) same.facts = [...new Set([...(same.facts ?? []), ...names])];
      else evidence.push({ source, title, quote: text, verified: true, facts: names });
    },
  };
}
