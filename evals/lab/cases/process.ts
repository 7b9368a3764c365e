import { createServer, watched } from '../fixture.ts';
import { defineCase } from '../lab-case.ts';
import { linux } from '../needs.ts';
import { startWatch } from '../nightshift.ts';
import { type Killable, killMainProcess, seenDown, seenRecovered } from '../recovery.ts';

export const processKilled = defineCase<Killable>({
  name: 'process',
  shows: 'a plain process, killed, is started again by its command',
  needs: [linux],
  smoke: true,
  async prepare(bench) {
    const server = await createServer(bench);
    await bench.start('api', server.argv);
    await bench.until('the service answers', 10_000, server.healthy);
    const watch = await startWatch(bench, {
      services: {
        api: watched(server.port, { manager: 'process', start: server.argv, directory: bench.folder }),
      },
    });
    return { ...server, watch, service: 'api', killed: null };
  },
  inject: killMainProcess,
  symptom: seenDown,
  oracle: seenRecovered,
});
