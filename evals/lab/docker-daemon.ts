import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { Missing } from './lab-case.ts';
import { findProgram } from './needs.ts';

/** A Docker daemon of the bench's own, with one image, `lab-busybox:1`, made of busybox. */
export interface DockerDaemon {
  environment: { DOCKER_HOST: string };
  docker(...args: string[]): Promise<string>;
  /** The main process of a container; null when it does not run. */
  pidOf(container: string): Promise<number | null>;
}

export const IMAGE = 'lab-busybox:1';
const APPLETS = ['sh', 'httpd', 'sleep', 'cat'];
const READY_MS = 40_000;

/** Starts dockerd beside whatever Docker the machine has; skips the case where the kernel does not let it. */
export async function startDocker(bench: Bench): Promise<DockerDaemon> {
  const at = (name: string) => join(bench.folder, name);
  const environment = { DOCKER_HOST: `unix://${at('docker.sock')}` };
  const docker = async (...args: string[]) =>
    (await bench.run(['docker', ...args], { environment, timeoutMs: 60_000 })).stdout.trim();

  // dockerd leaves these mounts behind when it ends, the second one only when it ends early.
  for (const mount of ['run/netns/default', 'data'])
    bench.defer(() => bench.run(['umount', '--quiet', at(mount)], { mayFail: true }));
  const daemon = await bench.start('dockerd', [
    ...(['dockerd', '--iptables=false', '--bridge=none', '--storage-driver=vfs'] as const),
    ...['--data-root', at('data'), '--exec-root', at('run'), '--pidfile', at('dockerd.pid')],
    ...['--host', environment.DOCKER_HOST],
  ]);
  await bench.until('dockerd answers', READY_MS, async () => {
    if (daemon.exited()) throw new Missing(`dockerd does not run here: see ${daemon.logFile}`);
    return (await bench.run(['docker', 'version'], { environment, mayFail: true })).exitCode === 0;
  });
  bench.defer(async () => {
    const ids = (await docker('ps', '--all', '--quiet')).split('\n').filter(Boolean);
    if (ids.length > 0) await docker('rm', '--force', ...ids);
  });

  const busybox = await findProgram('busybox');
  if (busybox === null) throw new Missing('busybox is not installed: apt-get install busybox-static');
  await mkdir(at('image/bin'), { recursive: true });
  await mkdir(at('image/www'));
  await copyFile(busybox, at('image/bin/busybox'));
  for (const applet of APPLETS) await symlink('busybox', at(`image/bin/${applet}`));
  await writeFile(at('image/www/index.html'), 'ok\n');
  await bench.run(['tar', '-C', at('image'), '-cf', at('image.tar'), '.']);
  await docker('import', at('image.tar'), IMAGE);

  return {
    environment,
    docker,
    async pidOf(container) {
      const pid = Number(await docker('inspect', '--format', '{{.State.Pid}}', container));
      return pid > 0 ? pid : null;
    },
  };
}

/** The command of a container that answers HTTP on a port of the machine. */
export const httpCommand = (port: number): string[] => ['/bin/httpd', '-f', '-p', `127.0.0.1:${port}`, '-h', '/www'];
