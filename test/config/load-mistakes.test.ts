import { describe, expect, it } from 'vitest';
import { renderProblems } from '../../src/config/problem.ts';
import { configOf, load, loadText as loadInto, problemsOf, temporaryFolder } from './folder.ts';

const folder = temporaryFolder();

const loadText = (text: string) => loadInto(folder, text);
const problems = (text: string) => problemsOf(loadText(text));
const service = (body: string, rest = '') =>
  `services:\n  api:\n    manager: systemd\n${body.replace(/^/gm, '    ')}\n${rest}`;
const check = (body: string) => service(`checks:\n  - ${body.replaceAll('\n', '\n    ')}`);

describe('one mistake', () => {
  it('is shown with file, line, column, path, carets and the right word', () => {
    const file = folder.write('look.yaml', check('http: http://127.0.0.1:8080/\nwithin: 2 scs'));
    const text = renderProblems(problemsOf(load(file)), { colour: false });
    expect(text).toBe(
      [
        `${file}:6:17  services.api.checks[0].within`,
        '    within: 2 scs',
        '            ^^^^^  a duration such as 2s, 250ms or 5m was expected. Did you mean 2s?',
      ].join('\n'),
    );
  });

  it.each<[string, string, string, RegExp, string | undefined]>([
    ['a wrong mode', 'mode: atc', 'mode', /observe, propose or act/, 'act'],
    ['a synonym of a mode', 'mode: auto', 'mode', /observe/, 'act'],
    ['a key at the top', 'evry: 1m', 'evry', /no key "evry"/, 'every'],
    ['a key people know from elsewhere', service('timeout: 5s'), 'services.api.timeout', /no key/, undefined],
    ['camel case', service('dependsOn: []'), 'services.api.dependsOn', /no key/, 'depends_on'],
    ['a manager', 'services:\n  api:\n    manager: sytemd', 'services.api.manager', /systemd, docker/, 'systemd'],
    ['no manager', 'services:\n  api:\n    hold: 5s', 'services.api.manager', /"manager" is missing/, undefined],
    ['a kind of check', check('htpp: http://x/'), 'services.api.checks[0].htpp', /no kind of check/, 'http'],
    ['an option of a check', check('tcp: 127.0.0.1:1\nevrey: 2s'), 'services.api.checks[0].evrey', /no key/, 'every'],
    [
      'timeout in a check',
      check('tcp: 127.0.0.1:1\ntimeout: 2s'),
      'services.api.checks[0].timeout',
      /no key/,
      'within',
    ],
    [
      'a URL without http',
      check('http: localhost:80/health'),
      'services.api.checks[0].http',
      /a URL/,
      'http://localhost:80/health',
    ],
    ['a bare port', check('tcp: 6379'), 'services.api.checks[0].tcp', /HOST:PORT/, '127.0.0.1:6379'],
    ['a bare number of seconds', service('hold: 30'), 'services.api.hold', /a duration/, '30s'],
    ['a bare percentage', 'machine:\n  memory: { warn: 80 }', 'machine.memory.warn', /a percentage/, '80%'],
    ['a misspelt size', service('logs: /a\nrotate: { above: 2 gigs }'), 'services.api.rotate.above', /a size/, '2GB'],
    [
      'a text for a list',
      service('depends_on: cache', '  cache: { manager: systemd }'),
      'services.api.depends_on',
      /a list/,
      '[cache]',
    ],
    ['a command line', service('start: node server.js'), 'services.api.start', /as a list/, '[node, server.js]'],
    ['yes', check('http: https://a/\ninsecure: yes'), 'services.api.checks[0].insecure', /true or false/, 'true'],
    [
      'a number in quotes',
      check('tcp: 127.0.0.1:1\nfails: "2"'),
      'services.api.checks[0].fails',
      /a number/,
      '2 without quotes',
    ],
    ['a status', check('http: http://a/\nstatus: ok'), 'services.api.checks[0].status', /200-399/, undefined],
    ['a limit', check('disk: /\nwarn: eighty'), 'services.api.checks[0].warn', /a limit such as/, undefined],
    [
      'a nested key',
      check('http: https://a/\nexpires: { wran: 14d }'),
      'services.api.checks[0].expires.wran',
      /no key/,
      'warn',
    ],
    ['a key of a metric', check('metric: { chek: a/b }'), 'services.api.checks[0].metric.chek', /no key/, 'check'],
    ['an empty metric', check('metric: {}'), 'services.api.checks[0].metric', /one of \{ check/, undefined],
    ['a model provider', 'models:\n  - olama: { model: x }', 'models[0].olama', /no kind of model/, 'ollama'],
    [
      'a window',
      'models:\n  - ollama: { model: x, context: big }',
      'models[0].ollama.context',
      /such as 16k/,
      undefined,
    ],
    ['a host', service('host: pcc', 'hosts:\n  pc: { ssh: pc }'), 'services.api.host', /no host pcc/, 'pc'],
    ['a host called local', 'hosts:\n  local: { ssh: x }', 'hosts.local', /always there/, undefined],
    [
      'a name that is none',
      'services:\n  "a b": { manager: systemd }',
      'services["a b"]',
      /letters, digits/,
      undefined,
    ],
    [
      'the name of the machine',
      'services:\n  machine: { manager: systemd }',
      'services.machine',
      /reserved/,
      undefined,
    ],
    [
      'the name of another machine',
      'services:\n  machine@x: { manager: systemd }',
      'services.machine@x',
      /reserved/,
      undefined,
    ],
    ['itself', service('depends_on: [api]'), 'services.api.depends_on[0]', /depends on itself/, undefined],
    [
      'nothing',
      service('depends_on: [cach]', '  cache: { manager: systemd }'),
      'services.api.depends_on[0]',
      /no service cach/,
      'cache',
    ],
    [
      'a check that is not there',
      check('metric: { check: machine/memry }'),
      'services.api.checks[0].metric.check',
      /no check/,
      'machine/memory',
    ],
    [
      'a metric of itself',
      check('metric: { check: api/metric }'),
      'services.api.checks[0].metric.check',
      /from itself/,
      undefined,
    ],
    [
      'no way to find a process',
      'services:\n  w: { manager: process }',
      'services.w.manager',
      /which process this is/,
      undefined,
    ],
    ['rotate without logs', service('rotate: {}'), 'services.api.rotate', /has no logs/, undefined],
    [
      'more failures than results',
      check('tcp: 127.0.0.1:1\nfails: 3\nof: 2'),
      'services.api.checks[0].of',
      /cannot happen/,
      undefined,
    ],
    [
      'a warning beyond critical',
      check('disk: /\nwarn: 95%\ncritical: 90%'),
      'services.api.checks[0].warn',
      /beyond critical/,
      undefined,
    ],
    ['a broken pattern', check('log_rate: "("'), 'services.api.checks[0].log_rate', /regular expression/, undefined],
    [
      'an undo that is not there',
      service('commands:\n  on: { run: [a], undo: of }\n  off: { run: [b] }'),
      'services.api.commands.on.undo',
      /another command/,
      'off',
    ],
    [
      'a check that is a URL',
      check('http://127.0.0.1/'),
      'services.api.checks[0]',
      /a check was expected/,
      'http: http://127.0.0.1/',
    ],
    ['a check without a kind', check('within: 2s'), 'services.api.checks[0]', /what kind of check/, undefined],
    [
      'two kinds in a check',
      check('http: http://a/\ntcp: 127.0.0.1:1'),
      'services.api.checks[0].tcp',
      /two kinds in one check, http and tcp/,
      undefined,
    ],
  ])('%s', (_, text, path, message, suggestion) => {
    const found = problems(text);
    expect(found.map((problem) => problem.path)).toEqual([path]);
    expect(found[0]?.message).toMatch(message);
    expect(found[0]?.suggestion).toBe(suggestion);
    expect(found[0]?.place).not.toBeNull();
  });

  it('shows a circle once and all the way round', () => {
    const found = problems(
      'services:\n  a: { manager: systemd, depends_on: [b] }\n  b: { manager: systemd, depends_on: [c] }\n  c: { manager: systemd, depends_on: [a] }\n  d: { manager: systemd, depends_on: [a] }\n',
    );
    expect(found.map(({ message }) => message)).toEqual(['a circle: a → b → c → a']);
    expect(found[0]?.place).toEqual({ line: 4, column: 39, length: 1 });
  });

  it('shows both places of a service that is named twice, and of a key that stands twice', () => {
    const twice = problems('services:\n  api:\n    manager: systemd\n  api:\n    manager: docker\n');
    expect(twice).toHaveLength(1);
    expect(twice[0]?.message).toMatch(/service api is named twice/);
    expect([twice[0]?.place?.line, twice[0]?.also?.place.line]).toEqual([4, 2]);
    const key = problems(service('hold: 5s\nhold: 6s'));
    expect(key.map(({ path }) => path)).toEqual(['services.api.hold']);
    expect([key[0]?.place?.line, key[0]?.also?.place.line]).toEqual([5, 4]);
  });

  it('refuses two checks of one service with one name', () => {
    const found = problems(
      service('checks:\n  - { name: up, tcp: "127.0.0.1:1" }\n  - { name: up, tcp: "127.0.0.1:2" }'),
    );
    expect(found.map(({ message }) => message)).toEqual(['two checks of api have the name up']);
  });
});

describe('two services on one port', () => {
  const two = (first: string, second: string, settings = '') =>
    `hosts:\n  pc: { ssh: me@box }\nservices:\n  a:\n    manager: systemd\n${settings}    checks: [${first}]\n  b:\n    manager: systemd\n${settings}    checks: [${second}]\n`;

  it.each([
    ['{ http: "http://127.0.0.1:8080/a" }', '{ tcp: "localhost:8080" }', ''],
    ['{ redis: "redis://127.0.0.1" }', '{ tcp: "127.0.0.1:6379" }', ''],
    ['{ postgres: "postgres://app@localhost/app" }', '{ tcp: "[::1]:5432" }', ''],
    ['{ ollama: "http://127.0.0.1:11434" }', '{ http: "http://0.0.0.0:11434/api/tags" }', ''],
    ['{ http: "http://box:80/" }', '{ http: "http://127.0.0.1/" }', '    host: pc\n'],
  ])('is an error with both places: %s and %s', (first, second, settings) => {
    const [problem, ...more] = problems(two(first, second, settings));
    expect(more).toEqual([]);
    expect(problem?.message).toMatch(/^port \d+ on (this machine|pc) cannot belong to two services, a and b/);
    expect([problem?.path.split('.')[1], problem?.also?.path.split('.')[1]]).toEqual(['b', 'a']);
  });

  it.each([
    ['{ http: "http://127.0.0.1:8080/" }', '{ http: "http://127.0.0.1:8081/" }', ''],
    ['{ http: "https://example.com/" }', '{ http: "https://example.com/" }', ''],
    ['{ tcp: "127.0.0.1:53" }', '{ tcp: "127.0.0.53:53" }', ''],
    ['{ tcp: "127.0.0.1:80" }', '{ tcp: "box:80" }', ''],
  ])('is none: %s and %s', (first, second, settings) => {
    expect(loadText(two(first, second, settings)).ok).toBe(true);
  });

  it('is none on two hosts, nor when one service checks its port twice', () => {
    const hosts =
      'hosts: { pc: { ssh: pc } }\nservices:\n  a: { manager: systemd, checks: [{ tcp: "127.0.0.1:80" }, { http: "http://127.0.0.1/" }] }\n  b: { manager: systemd, host: pc, checks: [{ tcp: "127.0.0.1:80" }] }\n';
    expect(loadText(hosts).ok).toBe(true);
  });
});

describe('all mistakes at once', () => {
  it('tells them in the order of the file, form and meaning together', () => {
    const found = problems(
      'mode: atc\nservices:\n  a:\n    manager: systemd\n    depends_on: [b]\n    checks:\n      - { tcp: "127.0.0.1:1", within: soon }\n      - { htpp: x }\n  b:\n    manager: systemd\n    depends_on: [a]\n    host: moon\n',
    );
    expect(found.map(({ place }) => place?.line)).toEqual([1, 7, 8, 11, 12]);
  });

  it('takes numbers where a text belongs as they are written', () => {
    const config = configOf(
      loadText(service('start: [node, --port, 8080, 1.10]\nenvironment: { PORT: 8080, DEBUG: true, MODE: 0755 }')),
    );
    const api = config.services.get('api');
    expect(api?.start).toEqual(['node', '--port', '8080', '1.10']);
    expect(api?.environment).toEqual({ PORT: '8080', DEBUG: 'true', MODE: '0755' });
  });

  it('never throws, whatever is put in place of a value, and every problem lies within the file', () => {
    const lines = check('http: http://127.0.0.1:8080/\nwithin: 2s\nfails: 2')
      .concat('machine:\n  disk: { warn: 80%, path: / }\nmodels:\n  - ollama: { model: x }\n')
      .split('\n');
    const odd = [
      '',
      ' 5',
      ' -1',
      ' []',
      ' {}',
      ' [1, {a: b}]',
      ' "\\u0000"',
      ' ~',
      ' true',
      ' 2026-01-01',
      ' !!binary aGk=',
      ' ? x',
      ' 1e400',
      ' .nan',
      ' *a',
      ' &a b',
      ' |',
      ' {__proto__: 1}',
      ' {constructor: {}}',
    ];
    let refused = 0;
    for (const [index, line] of lines.entries()) {
      const at = line.indexOf(':');
      if (at < 0) continue;
      for (const value of odd) {
        const text = [...lines.slice(0, index), line.slice(0, at + 1) + value, ...lines.slice(index + 1)].join('\n');
        const loaded = loadText(text);
        if (loaded.ok) continue;
        refused += 1;
        expect(loaded.problems.length).toBeGreaterThan(0);
        const height = text.split('\n').length;
        for (const { place, message } of loaded.problems) {
          expect(message).not.toMatch(/undefined|\[object|Invalid|NaN/);
          if (place) expect(place.line).toBeLessThanOrEqual(height);
        }
        expect(renderProblems(loaded.problems, { colour: false })).not.toContain('undefined');
      }
    }
    expect(refused).toBeGreaterThan(50);
  });
});
