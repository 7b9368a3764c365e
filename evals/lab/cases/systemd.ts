import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { packageFile } from '../../../src/base/package-root.ts';
import type { Bench } from '../bench.ts';
import { fixturePath, watched } from '../fixture.ts';
import { defineCase, Missing } from '../lab-case.ts';
import { linux, program, root } from '../needs.ts';
import { startWatch } from '../nightshift.ts';
import { httpStatus } from '../probes.ts';
import { type Killable, seenDown, seenRecovered } from '../recovery.ts';

const BOOT_MS = 60_000;
const HOME = '/opt/lab';

interface World extends Killable {
  inside(...argv: string[]): Promise<string>;
}

/** Boots systemd over a throw-away overlay of this machine's root. Returns the way in. */
async function bootSystemd(bench: Bench): Promise<{ through: string[]; rootFolder: string }> {
  const at = (name: string) => join(bench.folder, name);
  await mkdir(at('layers'));
  await bench.run(['mount', '-t', 'tmpfs', 'none', at('layers')]);
  bench.defer(() => bench.run(['umount', '--lazy', at('layers')]));
  await mkdir(at('layers/upper'));
  await mkdir(at('layers/work'));
  await mkdir(at('root'));
  const layers = `lowerdir=/,upperdir=${at('layers/upper')},workdir=${at('layers/work')}`;
  const mounted = await bench.run(['mount', '-t', 'overlay', 'overlay', '-o', layers, at('root')], { mayFail: true });
  if (mounted.exitCode !== 0) throw new Missing(`no overlay mounts here: ${mounted.stderr.trim()}`);
  bench.defer(() => bench.run(['umount', '--lazy', at('root')]));
  await mkdir(at(`root${HOME}`), { recursive: true });

  const nspawn = await bench.start('nspawn', [
    ...(['systemd-nspawn', '--register=no', '--keep-unit', '--quiet', '--boot', '--directory', at('root')] as const),
    ...[`--machine=${basename(bench.folder).toLowerCase().slice(-40)}`, `--bind-ro=${packageFile()}`],
    'systemd.unit=basic.target',
  ]);
  const init = await bench.until('systemd boots', BOOT_MS, async () => {
    if (nspawn.exited())
      throw new Missing(`systemd-nspawn does not run here: ${(await readFile(nspawn.logFile, 'utf8')).slice(-300)}`);
    const children = await readFile(`/proc/${nspawn.pid}/task/${nspawn.pid}/children`, 'utf8').catch(() => '');
    for (const child of children.trim().split(' ').filter(Boolean)) {
      const name = await readFile(`/proc/${child}/comm`, 'utf8').catch(() => '');
      if (name.trim() === 'systemd') return child;
    }
    return null;
  });
  // The end of its init is the end of everything in it.
  bench.defer(async () => process.kill(Number(init), 'SIGKILL'));
  const through = ['nsenter', '-t', init, '-m', '-u', '-i', '-n', '-p', '-C', '--'];
  await bench.until('systemd answers', BOOT_MS, async () => {
    const asked = await bench.run(['nsenter', ...through.slice(1), 'systemctl', 'is-active', 'basic.target'], {
      mayFail: true,
    });
    return asked.stdout.trim() === 'active';
  });
  return { through, rootFolder: at('root') };
}

export const systemdKilled = defineCase<World>({
  name: 'systemd',
  shows: 'a unit of a real systemd with Restart=no, killed, is started through systemctl',
  needs: [linux, root, program('systemd-nspawn', 'systemd-container'), program('nsenter', 'util-linux')],
  async prepare(bench) {
    const { through, rootFolder } = await bootSystemd(bench);
    const inside = async (...argv: string[]) =>
      (await bench.run(['nsenter', ...through.slice(1), ...argv])).stdout.trim();
    const port = await bench.port();
    const folderHere = join(rootFolder, HOME);
    await copyFile(fixturePath('server.mjs'), join(folderHere, 'server.mjs'));
    await writeFile(
      join(rootFolder, 'etc/systemd/system/lab-api.service'),
      `[Unit]
Description=the service of the lab
[Service]
ExecStart=${process.execPath} ${HOME}/server.mjs ${port} ${HOME}/starts
Restart=no
`,
    );
    await inside('systemctl', 'daemon-reload');
    await inside('systemctl', 'start', 'lab-api.service');
    const healthy = async () => (await httpStatus(port)) === 200;
    await bench.until('the unit answers', 15_000, healthy);
    const watch = await startWatch(bench, {
      services: { api: watched(port, { manager: 'systemd', unit: 'lab-api.service' }) },
      ...{ through, folder: HOME, folderHere },
    });
    const mainPid = async () => {
      const here = await bench.run(['pgrep', '--full', `${HOME}/server.mjs ${port} `], { mayFail: true });
      const pid = Number(here.stdout.split('\n')[0]);
      return pid > 0 ? pid : null;
    };
    return { watch, service: 'api', healthy, mainPid, inside, killed: null };
  },
  async inject(world) {
    world.killed = await world.mainPid();
    const pid = await world.inside('systemctl', 'show', '--property=MainPID', '--value', 'lab-api.service');
    await world.inside('kill', '-9', pid);
  },
  symptom: seenDown,
  async oracle(world, bench) {
    const recovered = await seenRecovered(world, bench);
    const state = await world.inside('systemctl', 'is-active', 'lab-api.service');
    return `${recovered}; systemctl says ${state}`;
  },
});
