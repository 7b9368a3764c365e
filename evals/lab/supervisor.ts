import { join } from 'node:path';
import type { Bench } from './bench.ts';

/** Starts a supervisord of its own with one program, `api`, which it does not restart by itself. Returns its configuration file. */
export async function startSupervisor(
  bench: Bench,
  argv: readonly string[],
  { startsecs }: { startsecs: number },
): Promise<string> {
  const at = (name: string) => join(bench.folder, name);
  const config = await bench.write(
    'supervisord.conf',
    `[unix_http_server]
file=${at('supervisor.sock')}
[supervisord]
logfile=${at('supervisord.log')}
pidfile=${at('supervisord.pid')}
childlogdir=${bench.folder}
user=${process.getuid?.() === 0 ? 'root' : (process.env.USER ?? '')}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://${at('supervisor.sock')}
[program:api]
command=${argv.join(' ')}
directory=${bench.folder}
autorestart=false
startsecs=${startsecs}
`,
  );
  await bench.start('supervisord', ['supervisord', '--nodaemon', '-c', config]);
  await bench.until('supervisord answers', 15_000, async () => {
    const asked = await bench.run(['supervisorctl', '-c', config, 'status', 'api'], { mayFail: true });
    return /RUNNING/.test(asked.stdout);
  });
  return config;
}
