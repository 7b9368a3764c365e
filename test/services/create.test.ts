import { expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { managerKinds } from '../../src/config/schema.ts';
import { createManager } from '../../src/services/create.ts';
import { createScriptedHost, serviceOf } from './docker-scripted-host.ts';

test.each(managerKinds)('%s: the manager is there, and nothing was run to make it', (kind) => {
  const host = createScriptedHost([]);
  const manager = createManager({ service: serviceOf({ manager: kind }), host, clock: systemClock });
  expect(manager?.kind).toBe(kind);
  expect(host.requests).toEqual([]);
});

test('a call reaches the manager that the service names', async () => {
  const host = createScriptedHost([
    { command: 'supervisorctl status web', stdout: 'web  RUNNING   pid 7, uptime 0:00:02\n' },
    { command: 'supervisorctl status web', stdout: 'web  RUNNING   pid 7, uptime 0:00:03\n' },
    { command: 'supervisorctl restart web', stdout: 'web: stopped\nweb: started\n' },
  ]);
  const manager = createManager({ service: serviceOf({ manager: 'supervisor' }), host, clock: systemClock });
  expect(await manager?.status()).toMatchObject({ ok: true, value: { state: 'running', mainPid: 7 } });
  expect(await manager?.restart()).toEqual({ ok: true, value: 'supervisorctl restart web' });
  host.assertComplete();
});

test('what stands for a host itself is measured and never acted on: it has no manager', () => {
  const service = { ...serviceOf({ manager: 'process' }, 'machine'), machine: true };
  expect(createManager({ service, host: createScriptedHost([]), clock: systemClock })).toBeNull();
});
