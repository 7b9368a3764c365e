import { describe, expect, it, onTestFinished } from 'vitest';
import { parseActionWords } from '../../memory/action-words.ts';
import { createMemory } from '../../memory/memory.ts';
import { signatureOf } from '../../memory/signature.ts';
import { systemClock } from '../../src/base/clock.ts';
import { actionTitle } from '../../src/incidents/action-title.ts';
import type { Diagnosis, Facts, Incident, ProposedAction, Resolution } from '../../src/incidents/incident.ts';
import { maskChanging } from '../../src/runbooks/mask.ts';
import { openStore } from '../../src/store/open.ts';
import type { MemoryStore } from '../../src/store/store.ts';
import { folder, incident, result } from '../runbooks/support.ts';
import { configOf } from '../support/config.ts';

/** The real store, in a folder of its own. */
function memoryStore(): MemoryStore {
  const where = folder();
  const opened = openStore(where.path, { clock: systemClock });
  if (!opened.ok) throw new Error(opened.error);
  onTestFinished(() => {
    opened.value.close();
    where[Symbol.dispose]();
  });
  return opened.value.memory;
}

const restart = (service: string): ProposedAction => ({ tool: 'restart_service', arguments: { service }, reason: 'r' });
const resolved = (change: Partial<Resolution> = {}): Resolution => ({
  by: 'person',
  summary: 'restart cache',
  actions: [restart('cache')],
  held: true,
  ...change,
});
const seen = (id: number, change: Partial<Incident> = {}): Incident =>
  incident('api', [], { id, signature: 's', ...change });

describe('what is remembered', () => {
  it('a fix that held for a signature is found again, and for no other', () => {
    const memory = createMemory(memoryStore());
    expect(memory.recall('s')).toBeNull();
    expect(memory.learn(seen(4), resolved())).toContain('restart cache');
    expect(memory.recall('s')).toMatchObject({
      case: { incident: 4, actions: [restart('cache')], foundBy: 'person', held: 1, failed: 0 },
      why: 'the same signature as #4, where "restart cache" held (1 of 1)',
    });
    expect(memory.recall('t')).toBeNull();
  });

  it('failures weigh as much: one that fails as often as it held is not used again until it held more', () => {
    const memory = createMemory(memoryStore());
    memory.learn(seen(1), resolved());
    memory.learn(seen(2), resolved({ held: false }));
    expect(memory.recall('s')).toBeNull();
    memory.learn(seen(3), resolved());
    expect(memory.recall('s')?.case).toMatchObject({ held: 2, failed: 1 });
  });

  it('of two ways the one that held better', () => {
    const memory = createMemory(memoryStore());
    memory.learn(seen(1), resolved());
    memory.learn(seen(2), resolved());
    memory.learn(seen(3), resolved({ held: false }));
    memory.learn(seen(4), resolved({ actions: [restart('api')] }));
    memory.learn(seen(5), resolved({ actions: [restart('api')] }));
    expect(memory.recall('s')?.case.actions).toEqual([restart('api')]);
    expect(memory.known('s')).toHaveLength(2);
  });

  it('nothing that cannot be taken back is done from memory alone', () => {
    const stop: ProposedAction = { tool: 'clear_directory', arguments: { service: 'cache' }, reason: 'r' };
    const memory = createMemory(memoryStore());
    expect(memory.learn(seen(1), resolved({ actions: [restart('api'), stop] }))).toContain('not repeated');
    expect(memory.recall('s')).toBeNull();
    const told = createMemory(memoryStore(), {
      riskOf: ({ tool }) => (tool === 'clear_directory' ? 'reversible' : null),
    });
    told.learn(seen(1), resolved({ actions: [stop] }));
    expect(told.recall('s')).not.toBeNull();
    told.learn(seen(2, { signature: 'u' }), resolved({ actions: [restart('api')] }));
    expect(told.recall('u')).toBeNull();
  });

  it.each([
    ['activate_release', { service: 'api', release: 'release-2' }],
    ['end_idle_sessions', { service: 'db', sessions: ['session-1', 'session-4'] }],
    ['end_process', { service: 'api', process: 'pid-3' }],
  ])('what named a thing by a short-lived id is remembered, and never repeated: %s', (tool, args) => {
    const memory = createMemory(memoryStore(), { riskOf: () => 'reversible' });
    const named: ProposedAction = { tool, arguments: args, reason: 'r' };
    expect(memory.learn(seen(1), resolved({ actions: [named, restart('api')] }))).toContain('not repeated');
    expect(memory.recall('s')).toBeNull();
    expect(memory.known('s')).toHaveLength(1);
    const unnamed: ProposedAction = { tool, arguments: { service: 'release-2' }, reason: 'r' };
    memory.learn(seen(2), resolved({ actions: [unnamed] }));
    expect(memory.recall('s')?.case.actions).toEqual([unnamed]);
  });

  it('words alone are kept and not acted on; what healed by itself, or has no signature, teaches nothing', () => {
    const memory = createMemory(memoryStore());
    expect(memory.learn(seen(1), resolved({ actions: [], summary: 'kicked the box' }))).toContain('kept as words');
    expect(memory.recall('s')).toBeNull();
    expect(memory.learn(seen(2), resolved({ by: 'itself', actions: [] }))).toBeNull();
    expect(memory.learn(seen(3, { signature: null }), resolved())).toBeNull();
    expect(memory.known('s')).toHaveLength(1);
  });

  it('says who found it', () => {
    const store = memoryStore();
    const diagnosis = { cause: 'hung', source: 'runbook', sourceName: 'Process hangs' } as Diagnosis;
    createMemory(store).learn(seen(1, { diagnosis }), resolved({ by: 'nightshift' }));
    expect(store.list()[0]).toMatchObject({ foundBy: 'runbook Process hangs', cause: 'hung' });
  });
});

describe('the signature', () => {
  const answers = (body: string, change: Facts = {}): Facts => ({
    process_status: 'running',
    check_http_verdict: 'critical',
    check_http_reason: 'status-503',
    check_http_body: body,
    check_tcp_verdict: 'ok',
    check_tcp_reason: 'none',
    ...change,
  });
  const api = (facts: Facts, more: Partial<Incident> = {}) =>
    signatureOf(incident('api', [result('api/http', { reason: 'status-503' })], more), facts);
  const refused =
    '{"error":"cache refused a write: READONLY","request":"4f1c2e9a-1111-4222-8333-abcdefabcdef","at":"2026-01-29T14:30:01.120Z","took":17}';
  const refusedLater =
    '{"error":"cache refused a write: READONLY","request":"99990000-1111-4222-8333-00aa00aa00aa","at":"2026-02-03T09:01:59.003Z","took":4}';

  it('is the same for the same fault at another time', () => {
    const first = api(answers(refused, { latency: 4, uptime: 5, check_http_value: 4.2 }));
    const second = api(answers(refusedLater, { latency: 90, uptime: 99_999, check_http_value: 90 }), {
      id: 77,
      title: 'other',
      openedAt: 5,
    });
    expect(second).toBe(first);
    expect(first).toContain('api | http:status-503 | running | ');
  });

  it('does not change with symptoms elsewhere, with warn or critical, or with the order of checks', () => {
    const first = api(answers(refused));
    const wide = signatureOf(
      incident('api', [result('web/http', { reason: 'timed-out' }), result('api/http', { reason: 'status-503' })]),
      answers(refused),
    );
    expect(wide).toBe(first);
    expect(api({ ...answers(refused), check_http_verdict: 'warn' })).toBe(first);
    expect(api(Object.fromEntries(Object.entries(answers(refused)).reverse()))).toBe(first);
  });

  it.each([
    ['another service', signatureOf(incident('web', [result('web/http')]), answers(refused))],
    ['another body', api(answers('{"error":"database is gone"}'))],
    ['another status', api(answers(refused, { check_http_reason: 'status-500' }))],
    [
      'another failing check beside it',
      api(answers(refused, { check_tcp_verdict: 'critical', check_tcp_reason: 'slow' })),
    ],
    ['a dead process', api(answers(refused, { process_status: 'dead', exit_signal: 'SIGKILL' }))],
    ['a paused process', api(answers(refused, { process_status: 'paused' }))],
    ['a loop of restarts', api(answers(refused, { restarts_climbing: true }))],
  ])('differs for %s', (_, other) => {
    expect(other).not.toBe(api(answers(refused)));
  });

  it('tells deaths apart by how they ended and what the log said', () => {
    const dead = (change: Facts) =>
      api({ process_status: 'dead', check_http_verdict: 'critical', check_http_reason: 'refused', ...change });
    const all = [
      dead({ exit_signal: 'SIGKILL' }),
      dead({ exit_code: 1, exit_signal: 'none' }),
      dead({ exit_code: 78, exit_signal: 'none' }),
      dead({ exit_code: 1, exit_signal: 'none', log_has_module_missing: true }),
    ];
    expect(new Set(all).size).toBe(4);
    // The words of a check differ from time to time; a dead process has none of its own.
    expect(dead({ exit_code: 1, log_error: 'this' })).toBe(dead({ exit_code: 1, log_error: 'that' }));
  });

  it('takes the log where an answer says nothing', () => {
    const silent = (log: string) => api(answers('', { log_error: log }));
    expect(silent('typeerror in cart')).not.toBe(silent('pool exhausted'));
    expect(silent('typeerror in cart')).toBe(silent('typeerror in cart'));
  });

  it('masks what changes and nothing else', () => {
    expect(maskChanging('2026-01-29 14:30:01,120 ERROR worker 17 (0x7f3a) req 8d1f03ab9c2e took 4.5 ms')).toBe(
      '<time> error worker # (<id>) req <id> took # ms',
    );
    expect(maskChanging('\u001b[31mrefused\u001b[0m   a\twrite')).toBe('refused a write');
    expect(maskChanging('feed the deadbeef face')).toBe('feed the deadbeef face');
  });
});

describe('what a person says helped', () => {
  const config = configOf(`
services:
  cache:
    manager: systemd
    commands:
      flush: { run: [redis-cli, flushall] }
  api:
    manager: systemd
    files: [/srv/api/.env, /srv/api/config.json, /etc/api/config.json]
    logs: [/var/log/api.log]
machine:
  disk: { critical: 90% }
`);

  it.each([
    ['restart cache', ['restart_service cache']],
    ['Restarted the cache.', ['restart_service cache']],
    ['start cache, then reload api', ['start_service cache', 'reload_service api']],
    ['stop api and start cache and then start api', ['stop_service api', 'start_service cache', 'start_service api']],
    ['rotate log of api', ['rotate_log api']],
    ['rotate the logs of api, restart api', ['rotate_log api', 'restart_service api']],
    ['restore .env of api then restart api', ['restore_file api /srv/api/.env', 'restart_service api']],
    ['restore /etc/api/config.json of api', ['restore_file api /etc/api/config.json']],
    ['run flush on cache', ['run_command cache flush']],
  ])('%s', (words, expected) => {
    const actions = parseActionWords(words, config);
    expect(actions?.map(({ tool, arguments: args }) => [tool, ...Object.values(args)].join(' '))).toEqual(expected);
  });

  it.each([
    '',
    'kicked it',
    'restart',
    'restart chache',
    'restart machine',
    'restart cache && rm -rf /',
    'restart cache, then pray',
    'restore config.json of api',
    'restore /etc/passwd of api',
    'run reboot on cache',
    'run constructor on cache',
    'rotate log of nothing',
  ])('not %j', (words) => {
    expect(parseActionWords(words, config)).toBeNull();
  });

  it('are said back in words that mean the same', () => {
    for (const words of [
      'restart cache',
      'rotate log of api',
      'run flush on cache',
      'restore .env of api',
      'reload api',
    ]) {
      const [action] = parseActionWords(words, config) ?? [];
      expect(action && actionTitle(action)).toBe(words);
    }
  });
});
