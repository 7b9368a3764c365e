import { httpCommand, IMAGE, startDocker } from '../docker-daemon.ts';
import { watched } from '../fixture.ts';
import { defineCase } from '../lab-case.ts';
import { linux, program, root } from '../needs.ts';
import { startWatch } from '../nightshift.ts';
import { httpStatus } from '../probes.ts';
import { type Killable, killMainProcess, seenDown, seenRecovered } from '../recovery.ts';

export const dockerKilled = defineCase<Killable>({
  name: 'docker',
  shows: 'a container of a real dockerd without restart policy, killed, is started through docker',
  needs: [linux, root, program('dockerd', 'docker.io'), program('busybox', 'busybox-static')],
  async prepare(bench) {
    const { environment, docker, pidOf } = await startDocker(bench);
    const port = await bench.port();
    await docker('run', '--detach', '--name', 'lab-api', '--network', 'host', IMAGE, ...httpCommand(port));
    const healthy = async () => (await httpStatus(port, '/index.html')) === 200;
    await bench.until('the container answers', 15_000, healthy);
    const watch = await startWatch(bench, {
      services: {
        api: watched(port, {
          ...{ manager: 'docker', unit: 'lab-api', environment },
          checks: [
            { http: `http://127.0.0.1:${port}/index.html`, within: '1s', every: '1s', fails: 2 },
            { container: 'lab-api', every: '1s', fails: 2 },
          ],
        }),
      },
      environment,
    });
    return { watch, service: 'api', healthy, mainPid: () => pidOf('lab-api'), killed: null };
  },
  inject: killMainProcess,
  symptom: seenDown,
  oracle: seenRecovered,
});
