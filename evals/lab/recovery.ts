import type { Bench } from './bench.ts';
import { incidentOf, type Watch } from './nightshift.ts';
import { isAlive } from './processes.ts';

/** A service that was running, whose main process was killed. */
export interface Killable {
  watch: Watch;
  service: string;
  /** It answers as it should, seen without Nightshift. */
  healthy(): Promise<boolean>;
  /** Its main process, seen without Nightshift; null when there is none. */
  mainPid(): Promise<number | null>;
  /** The process that was killed. */
  killed: number | null;
}

const BACK_MS = 60_000;
const RESOLVED_MS = 60_000;

/** `kill -9` of the main process. */
export async function killMainProcess(world: Killable): Promise<void> {
  const pid = await world.mainPid();
  if (pid === null) throw new Error(`${world.service} has no main process to kill`);
  world.killed = pid;
  process.kill(pid, 'SIGKILL');
}

/** It does not answer, and its process is gone. */
export async function seenDown(world: Killable, bench: Bench): Promise<void> {
  const { killed } = world;
  await bench.until(`the end of process ${killed}`, 5000, async () => killed !== null && !(await isAlive(killed)));
  if (await world.healthy()) throw new Error(`${world.service} answers although its process was killed`);
}

/** It answers again as another process, and its one incident was resolved by Nightshift. */
export async function seenRecovered(world: Killable, bench: Bench): Promise<string> {
  const began = Date.now();
  await bench.until(`${world.service} answers again`, BACK_MS, async () => {
    if (await world.healthy()) return true;
    const { state, title } = (await incidentOf(world.watch, world.service)) ?? {};
    if (state === 'escalated') throw new Error(`it was handed over instead of mended: ${title}`);
    return false;
  });
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  const incident = await bench.until(`the incident of ${world.service} is resolved`, RESOLVED_MS, async () => {
    const found = await incidentOf(world.watch, world.service);
    return found?.state === 'resolved' ? found : null;
  });
  if (incident.resolved_by !== 'nightshift') throw new Error(`it was resolved by ${incident.resolved_by}`);
  const pid = await world.mainPid();
  if (pid === null || pid === world.killed || !(await isAlive(pid))) throw new Error(`its main process is ${pid}`);
  if (!(await world.healthy())) throw new Error(`${world.service} does not answer after its incident was resolved`);
  const shown = await world.watch.show(incident.incident_id);
  const actions = shown.actions.map(({ action, state }) => `${action} (${state})`).join(', ');
  return `answers again after ${seconds} s as process ${pid}; #${incident.incident_id} "${incident.title}" resolved: ${actions}, ${shown.diagnosed_by}`;
}
