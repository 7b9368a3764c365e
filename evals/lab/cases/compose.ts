import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Bench } from '../bench.ts';
import { type DockerDaemon, httpCommand, IMAGE, startDocker } from '../docker-daemon.ts';
import { watched } from '../fixture.ts';
import { defineCase } from '../lab-case.ts';
import { linux, program, root } from '../needs.ts';
import { startWatch } from '../nightshift.ts';
import { httpStatus } from '../probes.ts';
import { type Killable, killMainProcess, seenDown, seenRecovered } from '../recovery.ts';

/** Brings the project up by whichever compose there is; without one, a container with the labels compose would give it. */
async function bringUp(bench: Bench, { environment, docker }: DockerDaemon, port: number): Promise<string> {
  const service = { image: IMAGE, network_mode: 'host', command: httpCommand(port) };
  const file = await bench.write('compose.yml', stringify({ version: '2.4', services: { web: service } }));
  for (const compose of [['docker', 'compose'], ['docker-compose']] as const) {
    const [first, ...rest] = compose;
    const asked = await bench.run([first, ...rest, 'version'], { environment, mayFail: true }).catch(() => null);
    if (asked?.exitCode !== 0) continue;
    await bench.run([first, ...rest, '-f', file, '-p', 'lab', 'up', '-d'], { environment, timeoutMs: 60_000 });
    return file;
  }
  const label = (name: string, value: string) => ['--label', `com.docker.compose.${name}=${value}`];
  await docker(
    ...['run', '--detach', '--name', 'lab_web_1', '--network', 'host'],
    ...label('project', 'lab'),
    ...label('service', 'web'),
    ...label('project.config_files', file),
    ...label('project.working_dir', bench.folder),
    ...[IMAGE, ...httpCommand(port)],
  );
  return file;
}

export const composeKilled = defineCase<Killable>({
  name: 'compose',
  shows: 'a service of a compose project, killed, is found by its labels and started',
  needs: [linux, root, program('dockerd', 'docker.io'), program('busybox', 'busybox-static')],
  async prepare(bench) {
    const daemon = await startDocker(bench);
    const port = await bench.port();
    const file = await bringUp(bench, daemon, port);
    const healthy = async () => (await httpStatus(port, '/index.html')) === 200;
    await bench.until('the service answers', 15_000, healthy);
    const watch = await startWatch(bench, {
      services: {
        web: watched(port, {
          ...{ manager: 'compose', compose_file: join(file), environment: daemon.environment },
          checks: [{ http: `http://127.0.0.1:${port}/index.html`, within: '1s', every: '1s', fails: 2 }],
        }),
      },
      environment: daemon.environment,
    });
    const mainPid = async () => {
      const id = await daemon.docker('ps', '--quiet', '--filter', 'label=com.docker.compose.service=web');
      return id === '' ? null : daemon.pidOf(id);
    };
    return { watch, service: 'web', healthy, mainPid, killed: null };
  },
  inject: killMainProcess,
  symptom: seenDown,
  oracle: seenRecovered,
});
