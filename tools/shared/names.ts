import { z } from 'zod';
import { type Config, machineName, type Service } from '../../src/config/schema.ts';
import type { ToolContext, ToolScope } from '../tool.ts';

/** An enum of the inventory's names. An empty one fits nothing, which is right: there is nothing to name. */
export const oneOf = (names: readonly string[], description: string) =>
  z.enum([...new Set(names)]).describe(description);

/** Why an action is asked for. It is written down and goes to no process. */
export const reason = z.string().max(300).optional().describe('why, in a sentence, for the record');

/** Services of the scope, machines left out, that fit. */
export const servicesIn = (
  scope: ToolScope,
  config: Config,
  fits: (service: Service) => boolean = () => true,
): string[] =>
  scope.services.filter((name) => {
    const service = config.services.get(name);
    return service !== undefined && !service.machine && fits(service);
  });

/**
 * As `servicesIn`, and where the scope holds a machine, also what fits among everything on that machine: a full disk is
 * often filled by a service that has nothing to do with the one that fails.
 */
export function servicesOnHosts(scope: ToolScope, config: Config, fits: (service: Service) => boolean): string[] {
  const inScope = new Set(scope.services);
  return [...config.services.values()]
    .filter((service) => !service.machine && (inScope.has(service.name) || inScope.has(machineName(service.host))))
    .filter(fits)
    .map((service) => service.name);
}

/** The hosts of the scope, as an argument that may be left out. */
export function hostArgument(scope: ToolScope) {
  const hosts = scope.hosts.length > 0 ? scope.hosts : ['local'];
  return oneOf(hosts, 'which machine').default(hosts[0] ?? 'local');
}

/** A service to look at, as an argument that may be left out. */
export const serviceArgument = (scope: ToolScope, config: Config, description: string) =>
  oneOf(servicesIn(scope, config), description).optional();

/** Where a tool that takes `service?` and `host` looks: a named service decides. */
export const hostOf = (args: { service?: string | undefined; host: string }, context: ToolContext) =>
  context.host(args.service === undefined ? args.host : context.service(args.service).host);
