import { createServer, watched } from '../fixture.ts';
import { defineCase } from '../lab-case.ts';
import { linux, program } from '../needs.ts';
import { startWatch } from '../nightshift.ts';
import { type Killable, killMainProcess, seenDown, seenRecovered } from '../recovery.ts';
import { startSupervisor } from '../supervisor.ts';

export const supervisorKilled = defineCase<Killable>({
  name: 'supervisor',
  shows: 'a program of a real supervisord with autorestart off, killed, is started through supervisorctl',
  needs: [linux, program('supervisord', 'supervisor')],
  smoke: true,
  async prepare(bench) {
    const server = await createServer(bench);
    const config = await startSupervisor(bench, server.argv, { startsecs: 1 });
    await bench.until('the service answers', 10_000, server.healthy);
    const watch = await startWatch(bench, {
      services: {
        api: watched(server.port, { manager: 'supervisor', supervisor_config: config }),
      },
    });
    return { ...server, watch, service: 'api', killed: null };
  },
  inject: killMainProcess,
  symptom: seenDown,
  oracle: seenRecovered,
});
