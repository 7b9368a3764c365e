import { delimiter, dirname, join } from 'node:path';
import type { Bench } from '../bench.ts';
import { createServer, watched } from '../fixture.ts';
import { defineCase, Missing } from '../lab-case.ts';
import { findProgram, linux, program } from '../needs.ts';
import { startWatch } from '../nightshift.ts';
import { type Killable, killMainProcess, seenDown, seenRecovered } from '../recovery.ts';

/** The folder of a pm2: the machine's own, or one that npm installs into the folder of the bench. */
async function installPm2(bench: Bench): Promise<string> {
  const own = await findProgram('pm2');
  if (own) return dirname(own);
  await bench.write('package.json', '{"private":true}');
  const arguments_ = ['install', 'pm2@^7', '--no-audit', '--no-fund', '--prefix', bench.folder];
  const installed = await bench.run(['npm', ...arguments_], {
    directory: bench.folder,
    timeoutMs: 120_000,
    mayFail: true,
  });
  if (installed.exitCode !== 0) throw new Missing(`npm could not install pm2: ${installed.stderr.trim().slice(-200)}`);
  return join(bench.folder, 'node_modules', '.bin');
}

export const pm2Killed = defineCase<Killable>({
  name: 'pm2',
  shows: 'an app of pm2 without autorestart, killed, is started through pm2',
  needs: [linux, program('npm', 'npm')],
  async prepare(bench) {
    const folder = await installPm2(bench);
    const server = await createServer(bench);
    const environment = {
      PM2_HOME: join(bench.folder, 'pm2'),
      PATH: [folder, dirname(process.execPath), process.env.PATH ?? ''].join(delimiter),
    };
    const [, script = '', ...rest] = server.argv;
    const pm2 = join(folder, 'pm2');
    bench.defer(() => bench.run([pm2, 'kill'], { environment }));
    await bench.run([pm2, 'start', script, '--name', 'api', '--no-autorestart', '--', ...rest], { environment });
    await bench.until('the service answers', 15_000, server.healthy);
    const watch = await startWatch(bench, { services: { api: watched(server.port, { manager: 'pm2', environment }) } });
    return { ...server, watch, service: 'api', killed: null };
  },
  inject: killMainProcess,
  symptom: seenDown,
  oracle: seenRecovered,
});
