import { expect, it } from 'vitest';
import { completeConfig } from '../../src/config/complete.ts';
import type { DiscoveredService, Discovery } from '../../src/config/discovery.ts';
import { discoveryConfig } from '../../src/config/from-discovery.ts';
import { configSchema } from '../../src/config/schema.ts';
import { renderConfigYaml } from '../../src/config/write.ts';
import { createNames } from '../../src/services/discover/naming.ts';
import { configOf, loadText, options, temporaryFolder } from './folder.ts';

const folder = temporaryFolder();

/** Numbers from 0 to 1, the same ones each time (a linear congruential generator, constants of Numerical Recipes). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const ODD = [
  'a',
  'Z',
  '7',
  '-',
  '_',
  '.',
  '/',
  ' ',
  ':',
  '#',
  '"',
  "'",
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  '&',
  '*',
  '!',
  '|',
  '>',
  '%',
  '@',
  '`',
  '~',
  '?',
  '=',
  '\n',
  '\r',
  '\t',
  '\0',
  '\u001b',
  '\u0085',
  '\u2028',
  'ü',
  '日',
  '😀',
  '<<',
  'yes',
  'null',
  '- ',
  ': ',
];

function randomDiscovery(seed: number): Discovery {
  const random = numbers(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;
  const text = (least = 0) => Array.from({ length: least + below(14) }, () => pick(ODD)).join('');
  const name = createNames();
  const services = Array.from({ length: below(7) }, (_, index): DiscoveredService => {
    const port = 1024 + index * 7000 + below(7000);
    const manager = pick(['systemd', 'docker', 'compose', 'supervisor', 'launchd', 'pm2', 'process'] as const);
    return {
      name: name(text()),
      manager,
      host: 'local',
      ports: [port],
      checks: [
        pick([{ process: 'main' as const }, { unit: `u${text()}` }, { container: `c${text()}` }]),
        pick([
          { tcp: `127.0.0.1:${port}` },
          { http: `http://127.0.0.1:${port}/health` },
          { redis: `redis://127.0.0.1:${port}`, warn: '50ms' },
        ]),
      ],
      ...(random() < 0.5 ? { unit: text(1) } : {}),
      ...(random() < 0.3 ? { user: true } : {}),
      ...(random() < 0.3 ? { composeFile: `/srv/${text()}` } : {}),
      ...(random() < 0.5 ? { match: text(3) } : {}),
      found: text(),
      suggestions: Array.from({ length: below(3) }, () => text()),
    };
  });
  return {
    host: 'local',
    at: 0,
    services,
    disks: Array.from({ length: below(4) }, (_, index) => ({
      path: `/${index}${text()}`,
      type: pick([null, 'ext4', text()]),
      sizeBytes: below(2 ** 40),
      usedPercent: below(101),
    })),
    memory: random() < 0.5 ? null : { totalBytes: below(2 ** 40), availableBytes: null },
    notes: Array.from({ length: below(4) }, () => text()),
  };
}

it('writes a file that loads without problems as exactly what was discovered, whatever names it met', () => {
  for (let seed = 1; seed <= 150; seed++) {
    const discovery = randomDiscovery(seed);
    const yaml = renderConfigYaml(discovery, { name: `home ${seed}: "#x` });
    const loaded = configOf(loadText(folder, yaml));
    const expected = completeConfig(configSchema.parse(discoveryConfig(discovery)), { ...options, file: loaded.file });
    expect({ ...loaded, name: '' }).toEqual({ ...expected, name: '' });
    expect([loaded.name, loaded.mode]).toEqual([`home ${seed}: "#x`, 'observe']);
  }
});

it('says where each service came from, and what else it could say', () => {
  const discovery: Discovery = {
    host: 'local',
    at: 0,
    services: [
      {
        name: 'api',
        manager: 'process',
        host: 'local',
        ports: [80],
        match: '/srv/api.js',
        checks: [{ http: 'http://127.0.0.1/' }],
        found: 'process 7 (node), listens on port 80',
        suggestions: ['start: ["node", "/srv/api.js"]'],
      },
    ],
    disks: [{ path: '/', type: 'ext4', sizeBytes: 100 * 1024 ** 3, usedPercent: 40 }],
    memory: { totalBytes: 16 * 1024 ** 3, availableBytes: null },
    notes: ['port 22: not seen'],
  };
  const yaml = renderConfigYaml(discovery, { name: 'home' });
  expect(yaml).toContain(`
services:
  api:
    # found as process 7 (node), listens on port 80
    manager: process
    match: /srv/api.js
    # start: ["node", "/srv/api.js"]
    checks:
      - http: http://127.0.0.1/
`);
  for (const option of [
    '# models:',
    'mode: observe',
    'act:',
    'hold:',
    'files:',
    '# runbooks:',
    '# escalate:',
    '# port 22: not seen',
    'ext4, 100 GB, 40 %',
  ])
    expect(yaml).toContain(option);
  for (const line of yaml.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
});

it('loads with every commented example taken in', () => {
  const empty: Discovery = { host: 'local', at: 0, services: [], disks: [], memory: null, notes: [] };
  const yaml = renderConfigYaml(empty, { name: 'home' });
  const examples = yaml
    .replace(/^( *)# (?=(models|services|runbooks|escalate|disk|cpu):| {2})/gm, '$1')
    .replace(/^(What else|and a check).*$/gm, '');
  const open = examples
    .replace(/^ {2}(depends_on|logs|rotate|files|hold|note): .*$/gm, '')
    .replace(/^# What else.*$/m, '');
  const config = configOf(loadText(folder, open));
  expect(config.models).toHaveLength(2);
  expect(config.services.get('api')?.checks).toHaveLength(1);
  expect([config.runbooks.length, config.escalate.webhook]).toEqual([1, 'env:NIGHTSHIFT_WEBHOOK']);
});

it('names the host when it is another one', () => {
  const discovery: Discovery = {
    host: 'pc',
    at: 0,
    services: [{ name: 'a', manager: 'systemd', host: 'pc', ports: [], checks: [], found: 'x', suggestions: [] }],
    disks: [],
    memory: null,
    notes: [],
  };
  const config = configOf(loadText(folder, renderConfigYaml(discovery, { name: 'home' })));
  expect([config.hosts.pc?.ssh, config.services.get('a')?.host]).toEqual(['pc', 'pc']);
});
