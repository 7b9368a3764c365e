import { rmSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import type { WatchEvent } from '../../agent/watch-events.ts';
import type { Incident } from '../../incidents/incident.ts';
import { loadConfig, renderProblems } from '../../config/load.ts';
import { packageFile } from '../../base/package-root.ts';
import { layStack } from '../demo/stack.ts';
import { span, type Terminal } from '../terminal.ts';
import { takeWatchLock } from '../../store/watch-lock.ts';
import { CannotRun, type Verb } from '../verb.ts';
import { createWatchView } from '../watch-view.ts';

/** How long one fault may take before the demo says that it has failed. */
const PATIENCE_MS = 60_000;

/** One minute of proof: a small real stack is broken four ways, one of them twice, while Nightshift watches it. */
const demo: Verb = async (context) => {
  const { terminal } = context;
  const { runWatch, buildMeasuring } = await import('../../app.ts');
  const { folder, configFile } = await layStack();
  const loaded = loadConfig(configFile, { environment: context.environment, home: context.environment.HOME ?? '/', platform: process.platform });
  if (!loaded.ok) throw new CannotRun(renderProblems(loaded.problems, { colour: false }));
  const { config } = loaded;
  const lock = takeWatchLock(config.stateFolder);
  if (!lock.ok) throw new CannotRun(lock.error);
  const stop = new AbortController();
  const interrupted = () => stop.abort();
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  const measuring = await buildMeasuring(config, context);
  const pidOf = async (service: string): Promise<number> => {
    const status = await measuring.manager(service)?.status();
    if (!status?.ok || status.value.mainPid === null) throw new Error(`the demo's ${service} does not run`);
    return status.value.mainPid;
  };
  const startedAt = Date.now();
  let failed = false;
  try {
    terminal.line(`A small stack in ${folder}: an api that needs a cache, and a worker. No model is used.`);
    for (const name of ['cache', 'api', 'worker']) {
      const started = await measuring.manager(name)?.start();
      if (!started?.ok) throw new Error(`the demo's ${name} did not start: ${started?.error}`);
    }
    const heard = createHearing(createWatchView(terminal));
    const watching = (async () => {
      for await (const event of runWatch({ config, surroundings: context, signal: stop.signal })) heard.take(event);
    })();
    await heard.until((event) => event.type === 'report' && event.report.counts.ok === event.report.results.length && event.report.results.length > 0, stop.signal);

    const act = (title: string) => terminal.line(`\n${terminal.style('bold', `── ${title}`)}`);
    const resolved = async (after: number): Promise<Incident> =>
      (await heard.until((event) => event.type === 'timeline' && event.entry.type === 'resolved' && event.incident.id > after, stop.signal)).incident;

    act('1 of 4  the cache is killed (kill -9)');
    process.kill(await pidOf('cache'), 'SIGKILL');
    let last = await resolved(0);

    act('2 of 4  the api hangs: it listens, and answers nothing (kill -STOP)');
    process.kill(await pidOf('api'), 'SIGSTOP');
    last = await resolved(last.id);

    act('3 of 4  the worker babbles: its log grows past its limit of 1 MB');
    process.kill(await pidOf('worker'), 'SIGUSR2');
    last = await resolved(last.id);

    act('4 of 4  the cache answers, and refuses every write: no runbook knows this');
    process.kill(await pidOf('cache'), 'SIGUSR2');
    const escalated = (await heard.until((event) => event.type === 'timeline' && event.entry.type === 'escalated' && event.incident.id > last.id, stop.signal)).incident;
    terminal.line(`\n  The demo now plays the person: it restarts the cache, and says so once.`);
    terminal.line(`  $ nightshift resolve ${escalated.id} --by "restart cache"`);
    const restarted = await measuring.manager('cache')?.restart();
    if (!restarted?.ok) throw new Error(`the demo's cache did not restart: ${restarted?.error}`);
    const said = execFileSync(process.execPath, [packageFile('bin/nightshift.js'), 'resolve', String(escalated.id), '--by', 'restart cache', '--config', configFile], { encoding: 'utf8' });
    terminal.line(`  ${said.trim().split('\n').join('\n  ')}\n`);
    last = await resolved(escalated.id - 1);

    act('4 again  the same fault: this time Nightshift knows what helped');
    process.kill(await pidOf('cache'), 'SIGUSR2');
    last = await resolved(last.id);
    const remembered = last.diagnosis?.source === 'memory';
    terminal.line();
    terminal.line(remembered
      ? `${terminal.style('green', 'proved')}  four faults, five incidents, in ${span(Date.now() - startedAt)}. The last one was mended from memory (${last.diagnosis?.sourceName}).`
      : `${terminal.style('red', 'failed')}  the last incident was mended by ${last.diagnosis?.source}, not from memory`);
    failed = !remembered;
    await explain(terminal, context, config, last);
    stop.abort();
    await watching;
  } finally {
    stop.abort();
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
    for (const name of ['api', 'worker', 'cache']) {
      const ended = await measuring.manager(name)?.stop();
      if (ended && !ended.ok) terminal.error(`the demo's ${name} could not be ended: ${ended.error}`);
    }
    measuring.close();
    lock.value.release();
    if (context.options.keep) terminal.line(`kept: ${folder} · nightshift incidents --config ${configFile}`);
    else rmSync(folder, { recursive: true, force: true });
  }
  if (!failed) terminal.line('next  nightshift init, then nightshift watch');
  return failed ? 1 : 0;
};
export default demo;

type Heard = Extract<WatchEvent, { type: 'timeline' }>;

/** Shows each event as it comes and lets the demo wait for one. */
function createHearing(show: (event: WatchEvent) => void) {
  const waiting: { wanted: (event: WatchEvent) => boolean; found: (event: Heard) => void }[] = [];
  return {
    take(event: WatchEvent): void {
      show(event);
      for (const [index, each] of [...waiting.entries()].reverse()) {
        if (!each.wanted(event)) continue;
        waiting.splice(index, 1);
        each.found(event as Heard);
      }
    },
    async until(wanted: (event: WatchEvent) => boolean, signal: AbortSignal): Promise<Heard> {
      const late = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
      return new Promise((resolve, reject) => {
        waiting.push({ wanted, found: resolve });
        late.addEventListener('abort', () => reject(new Error(signal.aborted ? 'the demo was stopped' : `nothing of the kind was seen within ${span(PATIENCE_MS)}`)), { once: true });
      });
    },
  };
}

/** With an Ollama on this machine, its first model says in plain words what the last incident was about. */
async function explain(terminal: Terminal, context: Parameters<Verb>[0], config: Parameters<typeof import('../../app.ts')['buildMeasuring']>[0], incident: Incident): Promise<void> {
  const { findLocalModel } = await import('../../models/find-local.ts');
  const model = await findLocalModel(fetch, AbortSignal.timeout(1500));
  if (model === null) return;
  const { askQuestion } = await import('../../app.ts');
  const { showAnswer } = await import('../ask-view.ts');
  terminal.line(`\n${model} is on this machine, so it may explain:`);
  config.models = [{ ollama: { model, url: 'http://127.0.0.1:11434', context: 16_384 } }];
  const question = `Incident #${incident.id} is over. In three sentences for a colleague: what was wrong, what was done, how was it proved?`;
  await showAnswer(terminal, askQuestion({ config, surroundings: context, question, signal: AbortSignal.timeout(120_000) }));
}
