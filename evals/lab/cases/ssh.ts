import { mkdir, readFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { createServer, watched } from '../fixture.ts';
import { defineCase } from '../lab-case.ts';
import { findProgram, linux, program, root } from '../needs.ts';
import { startWatch } from '../nightshift.ts';
import { type Killable, killMainProcess, seenDown, seenRecovered } from '../recovery.ts';

const HOST = 'lab-far';

interface World extends Killable {
  sshdLog: string;
}

/** An sshd on loopback with keys of its own, and a folder to stand in for ~/.ssh. */
async function startSshd(bench: Bench): Promise<{ sshFolder: string; log: string }> {
  const port = await bench.port();
  const at = (name: string) => join(bench.folder, name);
  await mkdir(at('ssh'), { mode: 0o700 });
  for (const key of ['host_key', 'ssh/id_ed25519'])
    await bench.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', at(key)]);
  // Where sshd keeps its unprivileged half; Debian makes it when the service starts.
  await mkdir('/run/sshd', { recursive: true });
  const config = await bench.write(
    'sshd_config',
    `Port ${port}
ListenAddress 127.0.0.1
HostKey ${at('host_key')}
AuthorizedKeysFile ${at('ssh/id_ed25519.pub')}
PidFile ${at('sshd.pid')}
PasswordAuthentication no
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
LogLevel VERBOSE
`,
  );
  const sshd = (await findProgram('sshd')) ?? 'sshd';
  const running = await bench.start('sshd', [sshd, '-D', '-e', '-f', config]);
  const hostKey = (await readFile(at('host_key.pub'), 'utf8')).split(' ').slice(0, 2).join(' ');
  await bench.write('ssh/known_hosts', `[127.0.0.1]:${port} ${hostKey}\n`, 0o600);
  await bench.write(
    'ssh/config',
    `Host ${HOST}\n  HostName 127.0.0.1\n  Port ${port}\n  User ${userInfo().username}\n  IdentityFile ~/.ssh/id_ed25519\n`,
    0o600,
  );
  return { sshFolder: at('ssh'), log: running.logFile };
}

export const sshKilled = defineCase<World>({
  name: 'ssh',
  shows: 'a process on a host that is reached by ssh, killed, is started there again',
  needs: [
    linux,
    root,
    program('sshd', 'openssh-server'),
    program('ssh-keygen', 'openssh-client'),
    program('unshare', 'util-linux'),
  ],
  async prepare(bench) {
    const server = await createServer(bench);
    await bench.start('api', server.argv);
    await bench.until('the service answers', 10_000, server.healthy);
    const { sshFolder, log } = await startSshd(bench);
    // In a mount namespace of its own, so that the real ~/.ssh stays as it is.
    const home = join(homedir(), '.ssh');
    await mkdir(home, { recursive: true, mode: 0o700 });
    const script = 'mount --bind "$1" "$2" && shift 2 && exec "$@"';
    const through = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', sshFolder, home];
    const watch = await startWatch(bench, {
      services: {
        api: watched(server.port, {
          ...{ host: 'far', manager: 'process', start: server.argv, directory: bench.folder },
          // Each request opens a channel over ssh first.
          checks: [{ http: `http://127.0.0.1:${server.port}/`, within: '4s', every: '1s', fails: 2 }],
        }),
      },
      more: { hosts: { far: { ssh: HOST } } },
      through,
    });
    return { ...server, watch, service: 'api', killed: null, sshdLog: log };
  },
  inject: killMainProcess,
  symptom: seenDown,
  async oracle(world, bench) {
    const recovered = await seenRecovered(world, bench);
    const accepted = (await readFile(world.sshdLog, 'utf8'))
      .split('\n')
      .filter((line) => line.includes('Accepted publickey'));
    if (accepted.length === 0) throw new Error('sshd saw no connection');
    return `${recovered}; sshd accepted ${accepted.length} connection(s)`;
  },
});
