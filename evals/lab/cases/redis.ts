import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineCase } from '../lab-case.ts';
import { linux, program } from '../needs.ts';
import { startWatch } from '../nightshift.ts';
import { tcpAnswer } from '../probes.ts';
import { isAlive } from '../processes.ts';
import { type Killable, killMainProcess, seenDown, seenRecovered } from '../recovery.ts';

export const redisKilled = defineCase<Killable>({
  name: 'redis',
  shows: 'a real Redis without systemd, killed, is started again and answers PING',
  needs: [linux, program('redis-server', 'redis-server')],
  async prepare(bench) {
    const port = await bench.port();
    const pidFile = join(bench.folder, 'redis.pid');
    const argv: [string, ...string[]] = [
      ...(['redis-server', '--port', String(port), '--bind', '127.0.0.1', '--dir', bench.folder] as const),
      ...['--pidfile', pidFile, '--appendonly', 'no', '--logfile', join(bench.folder, 'redis.log')],
    ];
    await bench.start('redis', argv);
    const healthy = async () => (await tcpAnswer(port, 'PING\r\n')) === '+PONG\r\n';
    await bench.until('redis answers', 10_000, healthy);
    const watch = await startWatch(bench, {
      services: {
        cache: {
          ...{ manager: 'process', start: argv, directory: bench.folder, pid_file: pidFile },
          ...{ logs: join(bench.folder, 'redis.log'), hold: '3s', drain: '2s' },
          checks: [{ redis: `redis://127.0.0.1:${port}`, within: '1s', every: '1s', fails: 2 }],
        },
      },
    });
    const mainPid = async () => {
      const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
      return pid > 0 && (await isAlive(pid)) ? pid : null;
    };
    return { watch, service: 'cache', healthy, mainPid, killed: null };
  },
  inject: killMainProcess,
  symptom: seenDown,
  oracle: seenRecovered,
});
