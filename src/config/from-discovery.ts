import type { DiscoveredService, Discovery } from './discovery.ts';
import type { ConfigInput } from './schema.ts';

type ServiceInput = NonNullable<ConfigInput['services']>[string];

/** A discovered service as it would be written under `services:`. */
export const serviceInput = (service: DiscoveredService): ServiceInput => ({
  ...(service.host === 'local' ? {} : { host: service.host }),
  manager: service.manager,
  ...(service.unit === undefined ? {} : { unit: service.unit }),
  ...(service.user ? { user: true } : {}),
  ...(service.composeFile === undefined ? {} : { compose_file: service.composeFile }),
  ...(service.match === undefined ? {} : { match: service.match }),
  checks: service.checks,
});

/** The limits every machine starts with. */
export const DISK_LIMITS = { warn: '80%', critical: '90%' };
export const MEMORY_LIMITS = { warn: '80%', critical: '90%' };

/** What was discovered as a configuration in observe mode, in the form a file would have. */
export function discoveryConfig(discovery: Discovery): ConfigInput {
  const disks = discovery.disks.map(({ path }) => ({ path, ...DISK_LIMITS }));
  const hosts = discovery.host === 'local' ? {} : { hosts: { [discovery.host]: { ssh: discovery.host } } };
  return {
    mode: 'observe',
    ...hosts,
    machine: { ...(disks.length > 0 ? { disk: disks } : {}), memory: MEMORY_LIMITS },
    services: Object.fromEntries(discovery.services.map((service) => [service.name, serviceInput(service)])),
  };
}
