import type { Finding } from '../explain.ts';
import type { PathPart } from '../problem.ts';
import type { LooseCheck, LooseInventory, LooseService } from './inventory.ts';

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'redis:': 6379,
  'rediss:': 6379,
  'postgres:': 5432,
  'postgresql:': 5432,
};
const URL_KINDS = ['http', 'redis', 'postgres', 'ollama'] as const;
/** Addresses at which whoever listens on any address of the machine is met. */
const SAME_LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]', '::1', '0.0.0.0', '[::]', '::']);

/** Where a check connects to; null when it connects to nothing, or not by address and port. */
function endpointOf(
  kind: string,
  settings: Readonly<Record<string, unknown>>,
): { address: string; port: number } | null {
  if (kind === 'tcp') {
    const match = /^(.+):(\d{1,5})$/.exec(typeof settings.tcp === 'string' ? settings.tcp : '');
    return match?.[1] ? { address: match[1], port: Number(match[2]) } : null;
  }
  const written = URL_KINDS.some((each) => each === kind) ? settings[kind] : undefined;
  if (typeof written !== 'string' || !URL.canParse(written)) return null;
  const url = new URL(written);
  const port = url.port === '' ? DEFAULT_PORTS[url.protocol] : Number(url.port);
  return url.hostname === '' || port === undefined ? null : { address: url.hostname, port };
}

/** The port of its own host that a check shows its service to listen on; null when it points elsewhere. */
function ownPort(check: LooseCheck, service: LooseService, hosts: LooseInventory['hosts']): string | null {
  const endpoint = endpointOf(check.kind, check.settings);
  if (!endpoint) return null;
  const address = endpoint.address.toLowerCase();
  const target = hosts.get(service.host)?.replace(/^.*@/, '').toLowerCase();
  if (SAME_LOOPBACK.has(address) || address === target || address === service.host.toLowerCase())
    return `${endpoint.port}`;
  return address.startsWith('127.') ? `${endpoint.port} of ${address}` : null;
}

/** True when a service has a check that says which port of its host it listens on. */
export const hasOwnPort = (service: LooseService, hosts: LooseInventory['hosts']): boolean =>
  service.checks.some((check) => ownPort(check, service, hosts) !== null);

/** Two services whose checks say that they listen on one port of one host. */
export function portFindings({ hosts, services }: LooseInventory): Finding[] {
  const owners = new Map<string, { service: LooseService; path: PathPart[] }>();
  const findings: Finding[] = [];
  for (const service of services) {
    const told = new Set<string>();
    for (const check of service.checks) {
      const port = ownPort(check, service, hosts);
      if (port === null) continue;
      const key = `${service.host} ${port}`;
      const path = [...check.path, check.kind];
      const owner = owners.get(key);
      if (!owner) owners.set(key, { service, path });
      if (!owner || owner.service === service || told.has(key)) continue;
      told.add(key);
      const where = service.host === 'local' ? 'this machine' : service.host;
      findings.push({
        path,
        at: 'value',
        message: `port ${port} on ${where} cannot belong to two services, ${owner.service.name} and ${service.name}; check each through its own port`,
        also: { path: owner.path, at: 'value', message: `${owner.service.name} has it here` },
      });
    }
  }
  return findings;
}
