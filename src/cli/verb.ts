import { readFileSync } from 'node:fs';
import { packageFile } from '../base/package-root.ts';
import { findConfig } from '../config/find.ts';
import { loadConfigQuickly } from '../config/load-quickly.ts';
import type { Config } from '../config/schema.ts';
import type { Store } from '../store/store.ts';
import { stateFolderProblem } from './state-folder.ts';
import type { Terminal } from './terminal.ts';

export type VerbOptions = Record<string, string | boolean | undefined> & { config?: string; json?: boolean };

/** What every verb is handed. */
export interface VerbContext {
  terminal: Terminal;
  arguments: string[];
  options: VerbOptions;
  environment: NodeJS.ProcessEnv;
  directory: string;
}

/** Does its work and gives the exit code. */
export type Verb = (context: VerbContext) => Promise<number>;

/** This Nightshift's version. */
export const productVersion = (): string =>
  String(JSON.parse(readFileSync(packageFile('package.json'), 'utf8')).version);

/** A reason why a verb cannot run, ready to be shown. Exit code 2. */
export class CannotRun extends Error {}

/** What completing a configuration needs to know of this user's world. */
export const placeOf = ({ environment }: Pick<VerbContext, 'environment'>) => ({
  environment,
  home: environment.HOME ?? '/',
  platform: process.platform,
});

/**
 * The configuration that a verb works with; its problems are shown with file, line and column. Without a file it is what
 * the last watch discovered on this machine, or the machine alone when none has run yet.
 */
export async function configFor(context: VerbContext): Promise<Config> {
  const place = placeOf(context);
  const file = findConfig(context.options.config, {
    directory: context.directory,
    home: place.home,
    platform: place.platform,
  });
  if (file === null) {
    const { rememberedConfig } = await import('./discovered.ts');
    return rememberedConfig(place);
  }
  const loaded = await loadConfigQuickly(file, place);
  if (!loaded.ok) {
    const { renderProblems } = await import('../config/problem.ts');
    throw new CannotRun(
      renderProblems(loaded.problems, { colour: context.terminal.errorsInColour, directory: context.directory }),
    );
  }
  for (const warning of loaded.warnings) context.terminal.error(`warning: ${warning}`);
  return loaded.config;
}

/** The store of a configuration. Its warnings are shown, its problems end the verb. */
export async function storeFor(
  context: VerbContext,
  config: Config,
  options: { readOnly?: boolean } = {},
): Promise<Store> {
  const problem = stateFolderProblem(config.stateFolder, options.readOnly ? 'read' : 'write');
  if (problem) throw new CannotRun(problem.text);
  const { openStore } = await import('../store/open.ts');
  const { systemClock } = await import('../base/clock.ts');
  const opened = openStore(config.stateFolder, { clock: systemClock, readOnly: options.readOnly === true });
  if (!opened.ok) throw new CannotRun(opened.error);
  for (const warning of opened.value.warnings) context.terminal.error(`warning: ${warning}`);
  return opened.value;
}

/** Makes sure that the store can be written to before a verb begins its work, and tells what the store has to say. */
export async function prepareStore(context: VerbContext, config: Config): Promise<void> {
  (await storeFor(context, config)).close();
}

/** The number in `12`, `#12` or `A7`. */
export function numberIn(text: string | undefined, what: 'an incident' | 'an approval'): number {
  const number = Number(/^[#A]?(\d{1,9})$/i.exec(text ?? '')?.[1]);
  if (Number.isInteger(number) && number > 0) return number;
  const approval = what === 'an approval';
  throw new CannotRun(
    `${what}'s number was expected, such as ${approval ? 'A7' : '12'}, not ${JSON.stringify(text ?? '')}: nightshift ${approval ? 'approvals' : 'incidents'} lists them`,
  );
}

/** Refuses a service that is not in the inventory, with the one that was probably meant. */
export async function requireService(config: Config, name: string): Promise<void> {
  if (config.services.has(name)) return;
  const { nearest } = await import('../config/nearest.ts');
  const known = [...config.services.keys()];
  const meant = nearest(name, known);
  const where = config.file === null ? 'among what was found on this machine' : `in ${config.file}`;
  throw new CannotRun(
    `there is no service ${JSON.stringify(name)} ${where}. ${meant ? `Did you mean ${meant}?` : `There ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}`}`,
  );
}

/** The incident with a number that a person gave; ends the verb when there is none. */
export function requireIncident(store: Store, id: number) {
  const incident = store.incidents.get(id);
  if (incident !== null) return incident;
  store.close();
  throw new CannotRun(`there is no incident #${id}: nightshift incidents lists them`);
}
