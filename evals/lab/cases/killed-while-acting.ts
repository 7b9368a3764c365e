import { setTimeout as pause } from 'node:timers/promises';
import { createServer, type Server, watched } from '../fixture.ts';
import { defineCase } from '../lab-case.ts';
import { linux, program } from '../needs.ts';
import { incidentOf, startWatch } from '../nightshift.ts';
import { type Killable, killMainProcess, seenDown, seenRecovered } from '../recovery.ts';
import { startSupervisor } from '../supervisor.ts';

/** supervisorctl waits so long for a start to count: time in which the action is begun and not ended. */
const STARTSECS = 8;
const BEGUN_MS = 60_000;
/** Cycles after the resolution in which nothing may happen. */
const AFTERWARDS_MS = 6000;

interface World extends Killable {
  server: Server;
}

export const killedWhileActing = defineCase<World>({
  name: 'killed-while-acting',
  shows: 'watch is ended by SIGKILL between act and outcome; started again it measures, and does not act twice',
  needs: [linux, program('supervisord', 'supervisor')],
  async prepare(bench) {
    const server = await createServer(bench);
    const config = await startSupervisor(bench, server.argv, { startsecs: STARTSECS });
    const watch = await startWatch(bench, {
      services: { api: watched(server.port, { manager: 'supervisor', supervisor_config: config }) },
    });
    return { ...server, server, watch, service: 'api', killed: null };
  },
  inject: killMainProcess,
  async symptom(world, bench) {
    await seenDown(world, bench);
    await bench.until(
      'Nightshift starts the service',
      BEGUN_MS,
      async () => (await world.server.starts()).length === 2,
    );
    const incident = await incidentOf(world.watch, 'api');
    const actions = incident ? (await world.watch.show(incident.incident_id)).actions : [];
    if (actions.length !== 1 || actions[0]?.state !== 'intended')
      throw new Error(`the action is not under way: ${JSON.stringify(actions)}`);
    await world.watch.running.end('SIGKILL');
    world.watch = await world.watch.again();
  },
  async oracle(world, bench) {
    const recovered = await seenRecovered(world, bench);
    await pause(AFTERWARDS_MS);
    const starts = (await world.server.starts()).length;
    if (starts !== 2) throw new Error(`the service was started ${starts - 1} times by Nightshift instead of once`);
    const incident = await incidentOf(world.watch, 'api');
    const { actions } = await world.watch.show(incident?.incident_id ?? 0);
    if (actions.length !== 1) throw new Error(`${actions.length} actions are recorded instead of one`);
    return `${recovered}; the service was started once`;
  },
});
