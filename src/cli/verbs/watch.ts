import { createWatchView } from '../watch-view.ts';
import { takeWatchLock } from '../../store/watch-lock.ts';
import { statSync } from 'node:fs';
import type { Config } from '../../config/schema.ts';
import { CannotRun, productVersion, type Verb, type VerbContext } from '../verb.ts';

/** The autonomous loop. Ctrl-C stops it cleanly: what is being done is finished, the rest is taken up at the next start. */
const watchVerb: Verb = async (context) => {
  const { terminal, options } = context;
  const { inventoryFor } = await import('../inventory.ts');
  const { runWatch } = await import('../../app.ts');
  const { config, discovery } = await inventoryFor(context);
  if (options.mode) config.mode = options.mode as typeof config.mode;
  if (discovery && !options.json) discovery.show(terminal);
  const lock = takeWatchLock(config.stateFolder);
  if (!lock.ok) throw new CannotRun(lock.error);

  const stop = new AbortController();
  let presses = 0;
  const onSignal = () => {
    presses += 1;
    if (presses > 1) process.exit(130);
    if (!options.json) terminal.error('\nstopping: what is being done is finished first (Ctrl-C again: at once)');
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const view = options.json ? (event: unknown) => terminal.line(JSON.stringify(event)) : createWatchView(terminal);
  try {
    let failing = 0;
    for await (const event of runWatch({ config, surroundings: context, signal: stop.signal, once: options.once === true, reload: reloader(config, context) })) {
      if (event.type === 'watch-start' && !options.json) {
        const models = event.models.length === 0 ? 'no model' : event.models.map((model) => `${model.name}${model.ready ? '' : ` (not there: ${model.message})`}`).join(', ');
        terminal.line(`nightshift ${productVersion()} · ${config.name} · ${config.mode} · ${event.services} services, ${event.checks} checks · ${models}`);
        terminal.line(`state ${config.stateFolder.replace(context.environment.HOME ?? '\0', '~')} · Ctrl-C stops`);
        terminal.line();
      }
      if (event.type === 'report') failing = event.report.counts.critical + event.report.counts.warn;
      view(event);
    }
    return options.once && failing > 0 ? 1 : 0;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    lock.value.release();
  }
};
export default watchVerb;

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
    const loaded = loadConfig(file, { environment: context.environment, home: context.environment.HOME ?? '/', platform: process.platform });
    if (!loaded.ok) return `${file} has changed and is not right, so the old one goes on:\n${renderProblems(loaded.problems, { colour: false })}`;
    if (loaded.config.stateFolder !== config.stateFolder) return `${file}: another state folder is taken up only by a restart, so the old configuration goes on`;
    // What was asked for on the command line holds for the whole run.
    if (context.options.mode) loaded.config.mode = config.mode;
    return loaded.config;
  };
}
