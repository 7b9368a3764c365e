import type { Config } from '../config/schema.ts';
import type { Terminal } from './terminal.ts';
import { configFor, type VerbContext } from './verb.ts';

/** What to work with: nightshift.yaml, or without one what runs on this machine, to be looked at and not touched. */
export async function inventoryFor(context: VerbContext): Promise<{ config: Config; discovery: { show(terminal: Terminal): void } | null }> {
  const config = await configFor(context);
  if (config.file !== null) return { config, discovery: null };
  const { createLocalHost } = await import('../hosts/local.ts');
  const { systemClock } = await import('../base/clock.ts');
  const { discover, discoveryConfig } = await import('../services/discover/index.ts');
  const { completeConfig } = await import('../config/complete.ts');
  const { configSchema } = await import('../config/schema.ts');
  const discovery = await discover(createLocalHost(systemClock), systemClock);
  const home = context.environment.HOME ?? '/';
  const completed = completeConfig(configSchema.parse(discoveryConfig(discovery)), { file: null, environment: context.environment, home, platform: process.platform });
  return {
    config: completed,
    discovery: {
      show(terminal) {
        terminal.line('No nightshift.yaml here, so this machine is watched as it is, and nothing is changed. It runs:');
        terminal.line();
        const width = Math.max(0, ...discovery.services.map((service) => service.name.length));
        for (const service of discovery.services) {
          const ports = service.ports.length > 0 ? ` :${service.ports.join(' :')}` : '';
          terminal.line(`  ${service.name.padEnd(width)}  ${terminal.style('dim', `${service.manager}${ports} · ${service.found}`)}`);
        }
        if (discovery.services.length === 0) terminal.line('  nothing that looks like a service');
        for (const note of discovery.notes) terminal.line(`  ${terminal.style('yellow', 'note')}  ${note}`);
        terminal.line();
        terminal.line('next  nightshift init writes this down as nightshift.yaml, for you to name what matters');
        terminal.line();
      },
    },
  };
}
