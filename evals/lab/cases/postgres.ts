import { chown, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineCase } from '../lab-case.ts';
import { linux, postgres, postgresPrograms, program, root } from '../needs.ts';
import { startWatch } from '../nightshift.ts';
import { isAlive } from '../processes.ts';
import { type Killable, killMainProcess, seenDown, seenRecovered } from '../recovery.ts';

interface World extends Killable {
  query(sql: string): Promise<string | null>;
}

export const postgresKilled = defineCase<World>({
  name: 'postgres',
  shows: 'a real PostgreSQL, killed, recovers from its log; what was committed is there, and it takes writes',
  needs: [linux, root, postgres, program('setpriv', 'util-linux')],
  async prepare(bench) {
    const programs = (await postgresPrograms()) ?? '';
    const port = await bench.port();
    const data = join(bench.folder, 'data');
    const { stdout } = await bench.run(['id', '-u', 'postgres']);
    const group = (await bench.run(['id', '-g', 'postgres'])).stdout;
    await mkdir(data, { mode: 0o700 });
    await chown(data, Number(stdout), Number(group));
    const asPostgres = ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups'] as const;
    await bench.run([...asPostgres, join(programs, 'initdb'), '-D', data, '--auth=trust', '--no-sync']);
    const argv: [string, ...string[]] = [
      ...asPostgres,
      ...[join(programs, 'postgres'), '-D', data, '-p', String(port), '-k', data],
      ...['-c', 'listen_addresses=127.0.0.1'],
    ];
    await bench.start('postgres', argv);
    const query: World['query'] = async (sql) => {
      const psql = await bench.run(
        [...(['psql', '-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-Atqc'] as const), sql],
        { mayFail: true, environment: { PGCONNECT_TIMEOUT: '2' } },
      );
      return psql.exitCode === 0 ? psql.stdout.trim() : null;
    };
    const healthy = async () => (await query('select 1')) === '1';
    await bench.until('postgres answers', 20_000, healthy);
    await query('create table lab (id int)');
    await query('insert into lab values (1)');
    const watch = await startWatch(bench, {
      services: {
        orders: {
          ...{ manager: 'process', start: argv, directory: bench.folder, match: data },
          ...{ logs: join(bench.folder, 'postgres.log'), hold: '3s', drain: '5s' },
          checks: [{ postgres: `postgres://postgres@127.0.0.1:${port}/postgres`, within: '2s', every: '1s', fails: 2 }],
        },
      },
    });
    const mainPid = async () => {
      const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
      const pid = Number(text.split('\n')[0]);
      return pid > 0 && (await isAlive(pid)) ? pid : null;
    };
    return { watch, service: 'orders', healthy, mainPid, query, killed: null };
  },
  inject: killMainProcess,
  symptom: seenDown,
  async oracle(world, bench) {
    const recovered = await seenRecovered(world, bench);
    await world.query('insert into lab values (2)');
    const rows = await world.query('select count(*) from lab');
    if (rows !== '2') throw new Error(`the table has ${rows} rows instead of the committed one and a new one`);
    return `${recovered}; the committed row is there and a new one was written`;
  },
});
