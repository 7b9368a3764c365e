import { copyFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createServer, fixturePath, type Server, watched } from '../fixture.ts';
import { defineCase } from '../lab-case.ts';
import { linux } from '../needs.ts';
import { incidentOf, startWatch } from '../nightshift.ts';
import { type Killable, killMainProcess, seenDown } from '../recovery.ts';

/** Long enough for many cycles after the escalation: one is escalated once, not every cycle. */
const AFTERWARDS_MS = 15_000;
const ESCALATED_MS = 120_000;
const MOST_ACTIONS = 3;

interface World extends Killable {
  server: Server;
  /** Bodies that the webhook was sent. */
  calls: string[];
}

export const beyondRepair = defineCase<World>({
  name: 'beyond-repair',
  shows: 'what a restart cannot mend is escalated once, and not acted on more than 3 times an hour',
  needs: [linux],
  smoke: true,
  async prepare(bench) {
    const program = join(bench.folder, 'server.mjs');
    await copyFile(fixturePath('server.mjs'), program);
    const server = await createServer(bench, program);
    await bench.start('api', server.argv);
    await bench.until('the service answers', 10_000, server.healthy);

    const calls: string[] = [];
    const webhook = createHttpServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      request.on('end', () => {
        calls.push(body);
        response.end();
      });
    });
    const webhookPort = await bench.port();
    await new Promise<void>((resolve) => webhook.listen(webhookPort, '127.0.0.1', resolve));
    bench.defer(() => new Promise((resolve) => webhook.close(resolve)));

    const watch = await startWatch(bench, {
      services: {
        api: watched(server.port, {
          ...{ manager: 'process', start: server.argv, directory: bench.folder, logs: join(bench.folder, 'api.log') },
          starts_within: '2s',
        }),
      },
      more: { escalate: { webhook: `http://127.0.0.1:${webhookPort}/` } },
    });
    return { ...server, server, calls, watch, service: 'api', killed: null };
  },
  async inject(world, bench) {
    await copyFile(fixturePath('broken.mjs'), join(bench.folder, 'server.mjs'));
    await killMainProcess(world);
  },
  symptom: seenDown,
  async oracle({ watch, server, calls }, bench) {
    const incident = await bench.until('the incident is escalated', ESCALATED_MS, async () => {
      const found = await incidentOf(watch, 'api');
      return found?.state === 'escalated' ? found : null;
    });
    await pause(AFTERWARDS_MS);
    const after = await incidentOf(watch, 'api');
    if (after?.state !== 'escalated')
      throw new Error(`it is ${after?.state}, not escalated, ${AFTERWARDS_MS} ms later`);
    const { timeline, actions } = await watch.show(incident.incident_id);
    const escalations = timeline.filter(({ type }) => type === 'escalated').length;
    if (escalations !== 1) throw new Error(`it was escalated ${escalations} times`);
    if (calls.length !== 1) throw new Error(`the webhook was called ${calls.length} times`);
    const starts = (await server.starts()).length - 1;
    if (starts > MOST_ACTIONS || actions.length > MOST_ACTIONS)
      throw new Error(
        `it was started ${starts} times, ${actions.length} actions are recorded; ${MOST_ACTIONS} are the limit`,
      );
    if (await server.healthy()) throw new Error('the service answers: the fault was none');
    return `#${incident.incident_id} escalated once (webhook called once) after ${actions.length} actions, ${starts} starts of the service`;
  },
});
