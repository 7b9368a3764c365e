import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { z } from 'zod';
import { messageOf } from '../../src/base/outcome.ts';
import { socketTrouble } from '../../src/health/socket-trouble.ts';
import { type Host, succeeded } from '../../src/hosts/host.ts';
import { endpointsIn } from '../shared/endpoints.ts';
import { hostArgument, oneOf } from '../shared/names.ts';
import { done, failed, lines, whatCameBack } from '../shared/say.ts';
import { defineTool, type ToolContext, type ToolScope } from '../tool.ts';

const TIME_LIMIT_MS = 8000;
const output = z.object({
  name: z.string(),
  addresses: z.array(z.string()),
  ms: z.number(),
  servers: z.array(z.string()),
});

const namesIn = (scope: ToolScope, config: ToolContext['config']): string[] =>
  endpointsIn(scope, config)
    .map(({ address }) => address)
    .filter((address) => isIP(address) === 0);

export const dnsLookup = defineTool({
  name: 'dns_lookup',
  description:
    'Looks up the name of an endpoint as its host does, and shows which DNS servers it asks. Use it for ENOTFOUND, EAI_AGAIN and "could not resolve".',
  risk: 'read',
  applies: (scope, config) => namesIn(scope, config).length > 0,
  input: (scope, config) =>
    z.strictObject({ name: oneOf(namesIn(scope, config), 'a host name of the inventory'), host: hostArgument(scope) }),
  output,
  async run({ name, host: hostName }, context) {
    const host = context.host(hostName);
    const began = performance.now();
    const [found, resolver] = await Promise.all([
      host.kind === 'local' ? here(name) : there(name, host, context.signal),
      host.readFile('/etc/resolv.conf', { maxBytes: 8192 }),
    ]);
    const ms = Math.round(performance.now() - began);
    const servers = resolver.ok
      ? [...resolver.value.text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, server]) => server ?? '')
      : [];
    const asks = resolver.ok
      ? servers.length === 0
        ? '/etc/resolv.conf of this host names no DNS server'
        : `it asks ${servers.join(', ')}`
      : resolver.error;
    if ('error' in found)
      return failed(lines(`${name} on ${host.name}: ${found.error} (${ms} ms)`, asks), {
        name,
        addresses: [],
        ms,
        servers,
      });
    return done(lines(`${name} on ${host.name}: ${found.addresses.join(', ')} (${ms} ms)`, asks), {
      name,
      addresses: found.addresses,
      ms,
      servers,
    });
  },
});

async function here(name: string): Promise<{ addresses: string[] } | { error: string }> {
  const { promise: late, resolve } = Promise.withResolvers<{ error: string }>();
  const timer = setTimeout(
    () => resolve({ error: `no answer within ${TIME_LIMIT_MS / 1000} s: the DNS server does not answer` }),
    TIME_LIMIT_MS,
  );
  const asked = lookup(name, { all: true }).then(
    (found) => ({ addresses: found.map(({ address }) => address) }),
    (thrown: unknown) => ({ error: socketTrouble(thrown, name)?.summary ?? messageOf(thrown) }),
  );
  const result = await Promise.race([asked, late]);
  clearTimeout(timer);
  return result;
}

async function there(
  name: string,
  host: Host,
  signal: AbortSignal,
): Promise<{ addresses: string[] } | { error: string }> {
  const darwin = (await host.platform()) === 'darwin';
  const result = await host.run({
    argv: darwin ? ['dscacheutil', '-q', 'host', '-a', 'name', name] : ['getent', 'ahosts', name],
    timeoutMs: TIME_LIMIT_MS,
    signal,
  });
  const addresses = parseLookup(result.stdout);
  return succeeded(result) && addresses.length > 0
    ? { addresses }
    : { error: `its name could not be looked up. ${whatCameBack(result, host)}` };
}

/** `getent ahosts` (`ADDRESS STREAM name`) and `dscacheutil` (`ip_address: ADDRESS`). */
export const parseLookup = (text: string): string[] => [
  ...new Set(
    text.split('\n').flatMap((line) => /^(?:ip(?:v6)?_address: )?([0-9a-fA-F.:]{3,})(?:\s|$)/.exec(line)?.[1] ?? []),
  ),
];
