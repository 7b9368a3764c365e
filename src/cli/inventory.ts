import type { Discovery } from '../config/discovery.ts';
import type { Config, ConfigInput } from '../config/schema.ts';
import { watchHolder } from '../store/watch-lock.ts';
import type { Terminal } from './terminal.ts';
import { configFor, placeOf, type VerbContext } from './verb.ts';

/** What was found on this machine, as it would stand in a file. */
export interface FoundInventory {
  discovery: Discovery;
  input: ConfigInput;
}

/** Looks at what runs on this machine, which takes a few seconds. */
export async function lookAround(terminal: Terminal): Promise<FoundInventory> {
  const { createLocalHost } = await import('../hosts/local.ts');
  const { systemClock } = await import('../base/clock.ts');
  const { discover, discoveryConfig } = await import('../services/discover/index.ts');
  const done = terminal.busy('looking at what runs on this machine …');
  const discovery = await discover(createLocalHost(systemClock), systemClock);
  done();
  return { discovery, input: discoveryConfig(discovery) };
}

/**
 * What to work with: nightshift.yaml; without one what the running watch has found; and without that what runs on this
 * machine now, to be looked at and not touched.
 */
export async function inventoryFor(context: VerbContext): Promise<Config> {
  const config = await configFor(context);
  if (config.file !== null || watchHolder(config.stateFolder) !== null) return config;
  const { discoveredConfig } = await import('./discovered.ts');
  const { input } = await lookAround(context.terminal);
  return discoveredConfig(input, placeOf(context));
}

/** Shows what was found to a person who has written no configuration yet. */
export function showDiscovery(terminal: Terminal, { services, notes }: Discovery): void {
  terminal.line('No nightshift.yaml here, so this machine is watched as it is, and nothing is changed. It runs:');
  terminal.line();
  const width = Math.max(0, ...services.map((service) => service.name.length));
  for (const service of services) {
    const ports = service.ports.length > 0 ? ` :${service.ports.join(' :')}` : '';
    terminal.line(
      `  ${service.name.padEnd(width)}  ${terminal.style('dim', `${service.manager}${ports} · ${service.found}`)}`,
    );
  }
  if (services.length === 0) terminal.line('  nothing that looks like a service');
  for (const note of notes) terminal.line(`  ${terminal.style('yellow', 'note')}  ${note}`);
  terminal.line();
  terminal.line('next  nightshift init writes this down as nightshift.yaml, for you to name what matters');
  terminal.line();
}
