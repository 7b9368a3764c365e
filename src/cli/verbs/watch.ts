import { statSync } from 'node:fs';
import type { WatchEvent } from '../../agent/watch-events.ts';
import type { Config, Mode } from '../../config/schema.ts';
import { takeWatchLock } from '../../store/watch-lock.ts';
import { lookAround, showDiscovery } from '../inventory.ts';
import { stateFolderProblem } from '../state-folder.ts';
import { stopOnSignals } from '../stop.ts';
import { count, type Terminal, zone } from '../terminal.ts';
import { CannotRun, configFor, placeOf, productVersion, storeFor, type Verb, type VerbContext } from '../verb.ts';
import { createWatchLog } from '../watch-log.ts';
import { createWatchView } from '../watch-view.ts';

/** The autonomous loop. Ctrl-C stops it cleanly: what is being done is finished, the rest is taken up at the next start. */
const watchVerb: Verb = async (context) => {
  const { terminal, options } = context;
  const written = await configFor(context);
  const problem = stateFolderProblem(written.stateFolder, 'write');
  if (problem) throw new CannotRun(problem.text);
  const lock = takeWatchLock(written.stateFolder);
  if (!lock.ok) throw new CannotRun(lock.error);
  const view = createWatchView(terminal);
  const stopping = stopOnSignals(terminal, () => {
    view.end();
    if (!options.json) terminal.error('stopping: what is being done is finished first (Ctrl-C again: at once)');
  });
  try {
    const config = written.file === null ? await discovered(context, written) : written;
    if (options.mode) config.mode = modeOf(options.mode);
    if (stopping.signal.aborted) return 0;
    const { runWatch } = await import('../../app.ts');
    const log = await createWatchLog(config.stateFolder);
    let failing = 0;
    const events = runWatch({
      config,
      surroundings: context,
      signal: stopping.signal,
      once: options.once === true,
      reload: reloader(config, context),
    });
    for await (const event of events) {
      log.take(event);
      if (event.type === 'report') failing = event.report.counts.critical + event.report.counts.warn;
      if (options.json) {
        terminal.line(JSON.stringify(event));
        continue;
      }
      if (event.type === 'watch-start') showStart(terminal, config, event, context.environment.HOME);
      view.take(event);
    }
    view.end();
    log.close();
    return options.once && failing > 0 ? 1 : 0;
  } finally {
    stopping.end();
    lock.value.release();
  }
};
export default watchVerb;

/** What runs here, told to the person and kept for the verbs beside this watch. */
async function discovered(context: VerbContext, written: Config): Promise<Config> {
  const { terminal, options } = context;
  const { discoveredConfig, rememberDiscovered } = await import('../discovered.ts');
  const { discovery, input } = await lookAround(terminal);
  if (!options.json) showDiscovery(terminal, discovery);
  const store = await storeFor(context, written);
  const inventory = rememberDiscovered(store, input);
  store.close();
  return discoveredConfig(inventory, placeOf(context));
}

function showStart(
  terminal: Terminal,
  config: Config,
  { services, checks, models }: Extract<WatchEvent, { type: 'watch-start' }>,
  home: string | undefined,
): void {
  const shown = models.map(({ name, ready, message }) => (ready ? name : `${name} (not there: ${message})`));
  const parts = [
    `nightshift ${productVersion()}`,
    config.name,
    config.mode,
    `${count(services, 'service')}, ${count(checks, 'check')}`,
    shown.length === 0 ? 'no model' : shown.join(', '),
  ];
  const folder =
    home && config.stateFolder.startsWith(`${home}/`)
      ? `~${config.stateFolder.slice(home.length)}`
      : config.stateFolder;
  terminal.line(parts.join(' · '));
  terminal.line(`state ${folder} · times are ${zone()} · Ctrl-C stops`);
  terminal.line();
}

/** The choices of --mode are checked where the command line is read. */
const modeOf = (text: string | boolean): Mode => (text === 'act' || text === 'propose' ? text : 'observe');

/** Looks whether the file has changed since it was read: the new configuration, why it is bad, or null. */
function reloader(config: Config, context: VerbContext): () => Promise<Config | string | null> {
  const { file } = config;
  const stamp = () => {
    const facts = file === null ? undefined : statSync(file, { throwIfNoEntry: false });
    return facts ? `${facts.mtimeMs} ${facts.size} ${facts.ino}` : 'gone';
  };
  let seen = stamp();
  return async () => {
    const now = stamp();
    if (file === null || now === seen) return null;
    seen = now;
    const { loadConfig, renderProblems } = await import('../../config/load.ts');
    const loaded = loadConfig(file, placeOf(context));
    if (!loaded.ok) {
      const problems = renderProblems(loaded.problems, { colour: false, directory: context.directory });
      return `${file} has changed and is not right, so the old one goes on:\n${problems}`;
    }
    if (loaded.config.stateFolder !== config.stateFolder)
      return `${file}: another state folder is taken up only by a restart, so the old configuration goes on`;
    // What was asked for on the command line holds for the whole run.
    if (context.options.mode) loaded.config.mode = config.mode;
    return loaded.config;
  };
}
