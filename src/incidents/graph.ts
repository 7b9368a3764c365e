import { type Config, machineName } from '../config/schema.ts';

/** Who needs whom, from `depends_on`. Services on a host do not depend on its pseudo-service: only an unreachable host takes them along. */
export interface DependencyGraph {
  /** What a service needs, nearest first, all the way down. */
  dependencies(service: string): string[];
  /** What needs a service, nearest first, all the way up. */
  dependants(service: string): string[];
  /** The service, what it needs, what needs it, and the machines they run on: what an incident may be about. */
  group(service: string): string[];
}

/** Builds the graph of an inventory. Circles were refused when it was loaded; one that slips in ends the walk. */
export function dependencyGraph(config: Config): DependencyGraph {
  const down = new Map<string, string[]>();
  const up = new Map<string, string[]>();
  for (const service of config.services.values()) {
    down.set(service.name, service.dependsOn);
    for (const dependency of service.dependsOn) up.set(dependency, [...(up.get(dependency) ?? []), service.name]);
  }
  const walk = (edges: Map<string, string[]>, from: string): string[] => {
    const found = new Set<string>();
    const queue = [...(edges.get(from) ?? [])];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (next === from || found.has(next)) continue;
      found.add(next);
      queue.push(...(edges.get(next) ?? []));
    }
    return [...found];
  };
  const dependencies = (service: string) => walk(down, service);
  const dependants = (service: string) => walk(up, service);
  return {
    dependencies,
    dependants,
    group(service) {
      const services = [service, ...dependencies(service), ...dependants(service)];
      const machines = services.flatMap((each) => {
        const known = config.services.get(each);
        return known && !known.machine ? [machineName(known.host)] : [];
      });
      return [...new Set([...services, ...machines])].filter((each) => config.services.has(each));
    },
  };
}
