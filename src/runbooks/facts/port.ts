import { connect } from 'node:net';
import type { Service } from '../../config/schema.ts';
import { portsOfChecks } from '../../services/check-ports.ts';
import { listListeners } from '../../services/listeners.ts';
import { descendantsOf, listProcesses, type ProcessRow } from '../../services/process-table.ts';
import type { FactContext, FactSource } from './collect.ts';

const PROBE_LIMIT_MS = 2000;
/** A tunnel accepts by itself; a connection that is still there after this has reached the far side. */
const TUNNEL_PROOF_MS = 300;
/** Programs that hold a port for somebody else. */
const STAND_INS = new Set(['docker-proxy', 'systemd', 'launchd', 'init', 'rootlessport', 'com.docker.backend']);

/** Whether the service's port accepts connections, and who holds it when it is not the service. */
export const portFacts: FactSource = async (context, collect) => {
  const [port] = portsOfChecks(context.service);
  if (port === undefined) return;
  collect.set({ tcp_port: port });
  const [open] = await Promise.all([probe(context, port), holder(context, collect, port)]);
  collect.set({ tcp_open: open ?? undefined });
};

async function holder(context: FactContext, collect: Parameters<FactSource>[1], port: number): Promise<void> {
  const { host, service } = context;
  const status = await context.status;
  if (!status || status.state === 'unknown' || status.state === 'starting') return;
  const [listeners, table] = await Promise.all([listListeners(host), listProcesses(host)]);
  if (!listeners.ok || !table.ok) return;
  const there = listeners.value.filter((listener) => listener.port === port && !STAND_INS.has(listener.program ?? ''));
  const kin = status.mainPid === null ? new Set<number>() : family(table.value, status.mainPid);
  // Without the right to see its owner, a listener beside a living service is taken for the service's own.
  const strangers = there.filter((listener) =>
    listener.pid === null ? status.mainPid === null : !kin.has(listener.pid),
  );
  const containers = service.manager === 'docker' || service.manager === 'compose';
  const taken = strangers.length > 0 && !(containers && status.state === 'running');
  collect.set({ port_taken: taken });
  const stranger = strangers[0];
  if (!taken || !stranger) return;
  const row = table.value.find((each) => each.pid === stranger.pid);
  const command = row?.command ?? 'a process that this user may not see';
  collect.set({
    port_holder: stranger.program ?? 'unknown',
    port_holder_pid: stranger.pid,
    port_holder_endable: row !== undefined && mayBeEnded(row.command, service),
  });
  collect.quote(
    `listeners:${host.name}`,
    `ports(${host.name})`,
    `port ${port} is held by ${stranger.pid ?? '?'} (${command})`,
    ['port_taken', 'port_holder', 'port_holder_pid'],
  );
}

/** The rules of `end_process` for a process that is none of the service's own; the tool looks again before it acts. */
const mayBeEnded = (command: string, { start, match, strays = [] }: Service): boolean => {
  const words = start?.join(' ');
  if (words !== undefined && (command === words || command.endsWith(`/${words}`))) return true;
  return [...strays, ...(match === undefined ? [] : [match])].some((text) => command.includes(text));
};

/** A process, all below it, and those above it up to the first of the system: a cluster's parent may hold the port. */
function family(table: readonly ProcessRow[], pid: number): Set<number> {
  const byPid = new Map(table.map((row) => [row.pid, row]));
  const kin = new Set([pid, ...descendantsOf(table, pid).map((row) => row.pid)]);
  for (let above = byPid.get(pid)?.parent ?? 0; above > 1 && !kin.has(above); above = byPid.get(above)?.parent ?? 0)
    kin.add(above);
  return kin;
}

/** Whether the port accepts a connection; null when that cannot be told. */
async function probe({ host, tools }: FactContext, port: number): Promise<boolean | null> {
  const reached = await host.reach('127.0.0.1', port);
  if (!reached.ok) return null;
  await using endpoint = reached.value;
  return new Promise((resolve) => {
    const socket = connect({ host: endpoint.address, port: endpoint.port });
    const onAbort = () => end(null);
    const end = (open: boolean | null) => {
      clearTimeout(limit);
      clearTimeout(proof);
      tools.signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(open);
    };
    let proof: NodeJS.Timeout | undefined;
    const limit = setTimeout(() => end(false), PROBE_LIMIT_MS);
    tools.signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', (error) => end('code' in error && error.code === 'ECONNREFUSED' ? false : null));
    socket.on('connect', () => {
      if (host.kind === 'local') return end(true);
      proof = setTimeout(() => end(true), TUNNEL_PROOF_MS);
      socket.on('data', () => end(true));
      socket.on('end', () => end(false));
    });
  });
}
