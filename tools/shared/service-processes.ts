import { failure, type Outcome, success } from '../../src/base/outcome.ts';
import type { Service } from '../../src/config/schema.ts';
import { portsOfChecks } from '../../src/services/check-ports.ts';
import { type Listener, listListeners } from '../../src/services/listeners.ts';
import type { ServiceStatus } from '../../src/services/manager.ts';
import { identityOf } from '../../src/services/process-table.ts';
import type { ToolContext } from '../tool.ts';
import { type ProcessEntry, readProcesses, treeOf } from './processes.ts';

/** The processes of a service, and who holds the ports that its checks connect to. */
export interface ServiceProcesses {
  status: ServiceStatus | null;
  /** Why there is no status, if there is none. */
  statusError: string | null;
  main: ProcessEntry | null;
  /** The main process and all below it. */
  own: ProcessEntry[];
  ports: number[];
  /** Listeners on those ports that are not the service. */
  foreign: Listener[];
  /** Why the listeners are not known, if they are not. */
  listenersError: string | null;
  all: ProcessEntry[];
}

/** Looks at the process table, the manager and the listeners of one service's host. */
export async function processesOf(service: Service, context: ToolContext): Promise<Outcome<ServiceProcesses>> {
  const host = context.host(service.host);
  const manager = context.manager(service.name);
  const [listed, status, listeners] = await Promise.all([
    readProcesses(host, context.signal),
    manager?.status() ?? failure(`${service.name} has no manager`),
    listListeners(host),
  ]);
  if (!listed.ok) return listed;
  const all = listed.value;
  const mainPid = status.ok ? status.value.mainPid : null;
  const main = all.find(({ pid }) => pid === mainPid) ?? null;
  const own = main === null ? [] : treeOf(all, main.pid);
  const ports = portsOfChecks(service);
  const ownPids = new Set(own.map(({ pid }) => pid));
  const held = listeners.ok ? listeners.value.filter(({ port }) => ports.includes(port)) : [];
  // A web server's workers share its socket: where the service listens itself, nobody else holds the port.
  const taken = held.filter(
    ({ port }) => !held.some((other) => other.port === port && other.pid !== null && ownPids.has(other.pid)),
  );
  return success({
    status: status.ok ? status.value : null,
    statusError: status.ok ? null : status.error,
    main,
    own,
    ports,
    foreign: taken,
    listenersError: listeners.ok ? null : listeners.error,
    all,
  });
}

/** Gives processes the ids by which they may be named; one that has ended meanwhile gets none. */
export async function handlesFor(
  entries: readonly ProcessEntry[],
  hostName: string,
  context: ToolContext,
): Promise<Map<number, string>> {
  const host = context.host(hostName);
  const ids = await Promise.all(
    entries.map(async ({ pid, command }): Promise<[number, string][]> => {
      const identity = await identityOf(host, pid);
      if (!identity.ok || identity.value === null) return [];
      return [[pid, context.handles.remember('process', host.name, { pid, began: identity.value.began, command })]];
    }),
  );
  return new Map(ids.flat());
}
