import { readFileSync } from 'node:fs';
import { packageFile } from '../base/package-root.ts';
import { loadConfigQuickly } from '../config/load-quickly.ts';
import { findConfig } from '../config/find.ts';
import type { Config } from '../config/schema.ts';
import type { Store } from '../store/store.ts';
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
export const productVersion = (): string => String(JSON.parse(readFileSync(packageFile('package.json'), 'utf8')).version);

/** A reason why a verb cannot run, ready to be shown. Exit code 2. */
export class CannotRun extends Error {}

/** The configuration that a verb works with; its problems are shown with file, line and column. */
export async function configFor(context: VerbContext): Promise<Config> {
  const home = context.environment.HOME ?? '/';
  const place = { environment: context.environment, home, platform: process.platform };
  const file = findConfig(context.options.config, { directory: context.directory, home, platform: process.platform });
  if (file === null) {
    const { completeConfig } = await import('../config/complete.ts');
    const { configSchema } = await import('../config/schema.ts');
    return completeConfig(configSchema.parse({}), { file: null, ...place });
  }
  const loaded = await loadConfigQuickly(file, place);
  if (!loaded.ok) {
    const { renderProblems } = await import('../config/problem.ts');
    throw new CannotRun(renderProblems(loaded.problems, { colour: context.terminal.style('red', 'x') !== 'x', directory: context.directory }));
  }
  for (const warning of loaded.warnings) context.terminal.error(`warning: ${warning}`);
  return loaded.config;
}

/** The store of a configuration. Its warnings are shown, its problems end the verb. */
export async function storeFor(context: VerbContext, config: Config, options: { readOnly?: boolean } = {}): Promise<Store> {
  const { openStore } = await import('../store/open.ts');
  const { systemClock } = await import('../base/clock.ts');
  const opened = await openStore(config.stateFolder, { clock: systemClock, readOnly: options.readOnly });
  if (!opened.ok) throw new CannotRun(opened.error);
  for (const warning of opened.value.warnings ?? []) context.terminal.error(`warning: ${warning}`);
  return opened.value;
}

/** The number in `12`, `#12` or `A7`. */
export function numberIn(text: string | undefined, what: string): number {
  const number = Number(/^[#A]?(\d+)$/i.exec(text ?? '')?.[1]);
  if (!Number.isInteger(number) || number < 1) throw new CannotRun(`${what} was expected, such as ${what.startsWith('an approval') ? 'A7' : '12'}, not ${JSON.stringify(text ?? '')}`);
  return number;
}
