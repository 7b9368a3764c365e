import type { Service } from '../../src/config/schema.ts';
import { identityOf } from '../../src/services/process-table.ts';
import type { ToolContext } from '../tool.ts';
import type { ProcessEntry } from './processes.ts';
import { processesOf, type ServiceProcesses } from './service-processes.ts';
import { untouchable } from './untouchable.ts';

/** A process that may be ended, looked at just now, or why not. */
type Endable = { entry: ProcessEntry; began: string; why: string } | { refusal: string };

/** Finds the process an id stands for, or without one the holder of the service's port, and applies the rules to it. */
export async function endable(
  args: { service: string; process?: string | undefined },
  context: ToolContext,
): Promise<Endable> {
  const service = context.service(args.service);
  const host = context.host(service.host);
  const found = await processesOf(service, context);
  if (!found.ok) return { refusal: found.error };
  const named =
    args.process === undefined ? holderOf(found.value, service) : byId(args.process, service, found.value, context);
  if ('refusal' in named) return named;
  const { entry, began: expected } = named;
  const identity = await identityOf(host, entry.pid);
  if (!identity.ok) return { refusal: `process ${entry.pid} could not be looked at again: ${identity.error}` };
  if (identity.value === null) return { refusal: `process ${entry.pid} has already ended` };
  if (expected !== null && identity.value.began !== expected)
    return { refusal: `the number ${entry.pid} belongs to another process by now; list the processes again` };
  const never = untouchable(entry, found.value.all, host);
  if (never !== null) return { refusal: `process ${entry.pid} is never ended: ${never}` };
  const right = rightTo(entry, service, found.value, context);
  return 'refusal' in right ? right : { entry, began: identity.value.began, why: right.why };
}

function byId(
  id: string,
  service: Service,
  found: ServiceProcesses,
  context: ToolContext,
): { entry: ProcessEntry; began: string } | { refusal: string } {
  const known = context.handles.recall('process', id);
  if (known === null)
    return { refusal: `${id} is not known (ids last an hour); list_processes or list_ports gives new ones` };
  if (known.host !== service.host)
    return { refusal: `${id} is a process on ${known.host}, but ${service.name} runs on ${service.host}` };
  const entry = found.all.find(({ pid }) => pid === known.value.pid);
  if (!entry) return { refusal: `${id} (process ${known.value.pid}) has already ended` };
  if (entry.command !== known.value.command)
    return {
      refusal: `process ${entry.pid} has another command line than when ${id} was given; list the processes again`,
    };
  return { entry, began: String(known.value.began) };
}

function holderOf(
  found: ServiceProcesses,
  service: Service,
): { entry: ProcessEntry; began: null } | { refusal: string } {
  if (found.listenersError !== null) return { refusal: found.listenersError };
  const pids = [...new Set(found.foreign.map(({ pid }) => pid))];
  if (pids.length === 0)
    return {
      refusal: `nobody else holds the port of ${service.name} (${found.ports.join(', ') || 'its checks use none'})`,
    };
  if (pids.length > 1) return { refusal: `several processes hold its ports; name one by its id from list_ports` };
  const entry = found.all.find(({ pid }) => pid === pids[0]);
  return entry === undefined
    ? { refusal: `who holds port ${found.ports.join(', ')} may not be seen by this user` }
    : { entry, began: null };
}

/** A process belongs to the service, or holds its port and is allowed to be ended for that. */
function rightTo(
  entry: ProcessEntry,
  service: Service,
  found: ServiceProcesses,
  { config }: ToolContext,
): { why: string } | { refusal: string } {
  if (found.own.some(({ pid }) => pid === entry.pid)) return { why: `which belongs to ${service.name}` };
  const ports = found.foreign.filter(({ pid }) => pid === entry.pid).map(({ port }) => port);
  if (ports.length === 0)
    return { refusal: `process ${entry.pid} neither belongs to ${service.name} nor holds its port` };
  const holds = `which holds port ${ports.join(', ')} of ${service.name}`;
  const words = service.start?.join(' ');
  // An old instance that its manager has lost sight of.
  if (words !== undefined && (entry.command === words || entry.command.endsWith(`/${words}`)))
    return { why: `an older ${service.name}, ${holds}` };
  if (service.match !== undefined && entry.command.includes(service.match))
    return { why: `an older ${service.name}, ${holds}` };
  if (service.strays?.some((text) => entry.command.includes(text)) === true) return { why: holds };
  const owner = [...config.services.values()].find(
    (other) =>
      other !== service &&
      other.host === service.host &&
      other.match !== undefined &&
      entry.command.includes(other.match),
  );
  if (owner) return { refusal: `process ${entry.pid} is the service ${owner.name}; stop_service is the way to end it` };
  return {
    refusal: `process ${entry.pid} holds port ${ports.join(', ')}, but nothing allows ending it: a person can list a text of its command line under \`strays:\` of ${service.name}`,
  };
}
