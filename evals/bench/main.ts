import { benchCycle } from './cycle.ts';
import { benchLoop } from './loop.ts';
import { benchStartup, countProductionPackages } from './startup.ts';
import { benchWatchMemory } from './watch-memory.ts';

/** Each figure, its goal, and what it is held against in the same run. */
const FIGURES = [
  { name: 'version_ratio', goal: 1.5, about: 'start-up of --version over an empty node program' },
  { name: 'status_ratio', goal: 3, about: 'start-up of status over an empty node program' },
  { name: 'watch_rss_mb', goal: 110, about: 'resident MB of watch with 50 checks after 10 cycles' },
  {
    name: 'cycle_ratio',
    goal: 1.5,
    about: 'a cycle of 2 000 HTTP and TCP checks over a plain loop of the same requests',
  },
  { name: 'loop_ratio', goal: 1.4, about: 'a round of the agent loop over the bare ollama client, 200 rounds' },
  { name: 'loop_growth', goal: 1.3, about: 'its last quarter over its first' },
  { name: 'production_packages', goal: 60, about: 'packages of a production install' },
] as const;

const asJson = process.argv.includes('--json');
const startup = await benchStartup();
const figures: Record<(typeof FIGURES)[number]['name'], number> = {
  version_ratio: startup.version_ratio,
  status_ratio: startup.status_ratio,
  watch_rss_mb: await benchWatchMemory(),
  ...pick(await benchCycle(), ['cycle_ratio']),
  ...pick(await benchLoop(), ['loop_ratio', 'loop_growth']),
  production_packages: countProductionPackages(),
};

if (asJson)
  console.log(
    JSON.stringify(
      Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Number(value.toFixed(3))])),
    ),
  );
else {
  for (const { name, goal, about } of FIGURES) {
    const value = figures[name];
    console.log(
      `${name.padEnd(20)} ${value.toFixed(2).padStart(8)}   goal ${String(goal).padStart(4)}  ${value <= goal ? 'reached' : 'MISSED '}  ${about}`,
    );
  }
}

function pick<Name extends string>(from: Record<Name, number>, names: Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, from[name]])) as Record<Name, number>;
}
