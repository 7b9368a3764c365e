import { createServer } from 'node:http';
import { afterAll, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { completeConfig } from '../../../src/config/complete.ts';
import { discoveryConfig } from '../../../src/config/from-discovery.ts';
import { configSchema } from '../../../src/config/schema.ts';
import { createLocalHost } from '../../../src/hosts/local.ts';
import { discover } from '../../../src/services/discover/index.ts';

const server = createServer((request, response) => {
  response.statusCode = request.url === '/healthz' ? 200 : 404;
  response.end();
});
afterAll(() => void server.close());

it('finds a real server of this very process, and its health endpoint', async ({ skip }) => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const discovery = await discover(createLocalHost(systemClock), systemClock);
  const blind = discovery.notes.find((note) => /neither ss nor lsof|ss is not there|processes cannot/.test(note));
  if (blind) skip(`this machine cannot be looked at: ${blind}`);
  const own = discovery.services.find((service) => service.ports.includes(port));
  expect(own?.found).toContain(`:${port}`);
  expect(own?.checks).toContainEqual({ http: `http://127.0.0.1:${port}/healthz` });
  expect(discovery.disks.length).toBeGreaterThan(0);
  expect(discovery.memory?.totalBytes).toBeGreaterThan(0);
  const config = completeConfig(configSchema.parse(discoveryConfig(discovery)), {
    file: null,
    environment: {},
    home: '/home/tester',
    platform: process.platform,
  });
  expect(config.mode).toBe('observe');
  expect(config.services.has(own?.name ?? '')).toBe(true);
});
