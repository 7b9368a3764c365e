import { rmSync } from 'node:fs';
import type { Measuring } from '../../app.ts';
import { systemClock } from '../../base/clock.ts';
import { loadConfig, renderProblems } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import type { Incident } from '../../incidents/incident.ts';
import { takeWatchLock } from '../../store/watch-lock.ts';
import { createHearing, type Hearing } from '../demo/hearing.ts';
import { layStack } from '../demo/stack.ts';
import { type Stopping, stopOnSignals } from '../stop.ts';
import { span, type Terminal } from '../terminal.ts';
import { CannotRun, placeOf, type Verb, type VerbContext } from '../verb.ts';
import { createWatchView, type WatchView } from '../watch-view.ts';
import resolve from './resolve.ts';

interface Stage {
  context: VerbContext;
  config: Config;
  configFile: string;
  view: WatchView;
  hearing: Hearing;
  measuring: Measuring;
}

/** One minute of proof: a small real stack is broken four ways, one of them twice, while Nightshift watches it. */
const demo: Verb = async (context) => {
  const { terminal } = context;
  const view = createWatchView(terminal);
  const onStop = (): void => {
    view.end();
    terminal.error('stopping: what was started is ended first');
  };
  // A second Ctrl-C must not leave the stack behind.
  const stopping = stopOnSignals(terminal, onStop, { patient: true });
  const { folder, configFile } = await layStack();
  try {
    const loaded = loadConfig(configFile, placeOf(context));
    if (!loaded.ok) throw new CannotRun(renderProblems(loaded.problems, { colour: terminal.errorsInColour }));
    const { config } = loaded;
    view.say(`A small stack in ${folder}:`);
    view.say('an api that needs a cache, and a worker. No model is used.');
    const proved = await onStage({ context, config, configFile, view }, stopping);
    if (proved && context.options.keep !== true) view.say('next  nightshift init, then nightshift watch');
    return proved ? 0 : 1;
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    view.say('stopped: nothing of the demo runs any more');
    return stopping.interrupted ? 130 : 0;
  } finally {
    if (context.options.keep) view.say(`kept: ${folder} · nightshift incidents --config ${configFile}`);
    else rmSync(folder, { recursive: true, force: true });
    stopping.end();
  }
};
export default demo;

/** Waits, for 5 s at the most, until what was just started answers: a demo should not begin with an alarm. */
async function standing(measuring: Measuring, config: Config, signal: AbortSignal): Promise<void> {
  const checks = [...config.services.values()].flatMap((service) => service.checks);
  for (let look = 0; look < 25 && !signal.aborted; look += 1) {
    const results = await measuring.monitor.measure(checks);
    if (results.every((result) => result.verdict === 'ok')) return;
    await systemClock.sleep(200, signal);
  }
}

/** Starts the stack and a watch over it, plays, and ends all of it again, however the play ends. */
async function onStage(given: Omit<Stage, 'hearing' | 'measuring'>, stopping: Stopping): Promise<boolean> {
  const { context, config, view } = given;
  const { runWatch, buildMeasuring } = await import('../../app.ts');
  const lock = takeWatchLock(config.stateFolder);
  if (!lock.ok) throw new CannotRun(lock.error);
  const over = new AbortController();
  const signal = AbortSignal.any([stopping.signal, over.signal]);
  const measuring = await buildMeasuring(config, context);
  const hearing = createHearing(signal);
  let watching: Promise<void> = Promise.resolve();
  try {
    for (const name of ['cache', 'api', 'worker']) {
      if (signal.aborted) throw new Error('the demo was stopped');
      const started = await measuring.manager(name)?.start();
      if (!started?.ok) throw new Error(`the demo's ${name} did not start: ${started?.error}`);
    }
    await standing(measuring, config, signal);
    watching = (async () => {
      for await (const event of runWatch({ config, surroundings: context, signal })) {
        view.take(event);
        hearing.take(event);
      }
    })();
    const broken = watching.then(() => Promise.reject(new Error('the watch ended by itself')));
    return await Promise.race([play({ ...given, hearing, measuring }), broken]);
  } finally {
    over.abort();
    // What the watch is doing is finished before the stack is ended: else it could start a part of it once more.
    await watching.catch(() => undefined);
    for (const name of ['api', 'worker', 'cache']) {
      const ended = await measuring.manager(name)?.stop();
      if (ended && !ended.ok) context.terminal.error(`the demo's ${name} could not be ended: ${ended.error}`);
    }
    measuring.close();
    lock.value.release();
  }
}

/** Breaks the stack, one fault after another, each once the one before is over. True when all came out as promised. */
async function play(stage: Stage): Promise<boolean> {
  const { view, hearing, context } = stage;
  const { terminal } = context;
  const startedAt = Date.now();
  const act = (title: string): void => {
    view.say();
    view.say(terminal.style('bold', `── ${title}`));
  };
  await hearing.allWell();

  act('1 of 4  the cache is killed (kill -9)');
  await strike(stage, 'cache', 'SIGKILL');
  let last = await hearing.told('resolved', 0);

  act('2 of 4  the api hangs: it listens, and answers nothing (kill -STOP)');
  await strike(stage, 'api', 'SIGSTOP');
  last = await hearing.told('resolved', last.id);

  act('3 of 4  the worker babbles: its log grows past its limit of 1 MB');
  await strike(stage, 'worker', 'SIGUSR2');
  last = await hearing.told('resolved', last.id);

  act('4 of 4  the cache answers, and refuses every write: no runbook knows this');
  await strike(stage, 'cache', 'SIGUSR2');
  const escalated = await hearing.told('escalated', last.id);
  await playPerson(stage, escalated);
  last = await hearing.told('resolved', escalated.id - 1);

  act('4 again  the same fault: this time Nightshift knows what helped');
  await strike(stage, 'cache', 'SIGUSR2');
  last = await hearing.told('resolved', last.id);
  const remembered = last.diagnosis?.source === 'memory';
  view.say();
  if (remembered) {
    view.say(`${terminal.style('green', 'proved')}  four faults, five incidents, in ${span(Date.now() - startedAt)}:`);
    view.say(`        the last one was mended from memory (${last.diagnosis?.sourceName}).`);
  } else
    view.say(
      `${terminal.style('red', 'failed')}  the last incident was mended by ${last.diagnosis?.source}, not from memory`,
    );
  await explain(stage, last);
  return remembered;
}

async function strike({ measuring }: Stage, service: string, signal: NodeJS.Signals): Promise<void> {
  const status = await measuring.manager(service)?.status();
  if (!status?.ok || status.value.mainPid === null) throw new Error(`the demo's ${service} does not run`);
  process.kill(status.value.mainPid, signal);
}

/** What a person would do: mend it by hand, and say once what helped. */
async function playPerson({ context, configFile, measuring, view }: Stage, { id }: Incident): Promise<void> {
  view.say();
  view.say('  The demo now plays the person: it restarts the cache, and says so once.');
  const restarted = await measuring.manager('cache')?.restart();
  if (!restarted?.ok) throw new Error(`the demo's cache did not restart: ${restarted?.error}`);
  view.say(`  $ nightshift resolve ${id} --by "restart cache"`);
  const terminal: Terminal = { ...context.terminal, line: (text = '') => view.say(`  ${text}`) };
  await resolve({
    ...context,
    terminal,
    arguments: [String(id)],
    options: { config: configFile, by: 'restart cache' },
  });
  view.say();
}

/** With an Ollama on this machine, its first model says in plain words what the last incident was about. */
async function explain({ context, config, view }: Stage, incident: Incident): Promise<void> {
  const { findLocalModel } = await import('../../models/find-local.ts');
  const model = await findLocalModel(fetch, AbortSignal.timeout(1500));
  if (model === null) return;
  const { askQuestion } = await import('../../app.ts');
  const { showAnswer } = await import('../ask-view.ts');
  view.say();
  view.say(`${model} is on this machine, so it may explain:`);
  const question = `Incident #${incident.id} is over. In three sentences for a colleague: what was wrong, what was done, how was it proved?`;
  const explaining = { ...config, models: [{ ollama: { model, url: 'http://127.0.0.1:11434', context: 16_384 } }] };
  const signal = AbortSignal.timeout(120_000);
  await showAnswer(context.terminal, askQuestion({ config: explaining, surroundings: context, question, signal }));
}
