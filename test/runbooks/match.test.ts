import { describe, expect, it } from 'vitest';
import { diagnosisFrom, explain, findRunbook } from '../../src/runbooks/match.ts';
import { load, mvps } from './support.ts';

const config = mvps();
const loadAll = async (yaml: string) => {
  const { runbooks, problems } = await load(yaml, config);
  expect(problems).toEqual([]);
  return runbooks;
};

describe('which runbook goes first', () => {
  const symptoms = (name: string, extra = '') => `  - name: ${name}\n    symptoms: [disk_usage > 90%${extra}]\n`;

  it('the higher priority, then the more symptoms, then the name: never the order of the files', async () => {
    const a = symptoms('A');
    const b = symptoms('B', ', service == "api"');
    const c = `${symptoms('C')}    priority: 1\n`;
    const facts = { disk_usage: 95, service: 'api' };
    for (const order of [
      [a, b, c],
      [c, b, a],
      [b, c, a],
    ]) {
      const runbooks = await loadAll(`common_issues:\n${order.join('')}`);
      expect(findRunbook(runbooks, facts)?.runbook.name).toBe('C');
      const without = runbooks.filter((runbook) => runbook.name !== 'C');
      expect(findRunbook(without, facts)?.runbook.name).toBe('B');
    }
  });

  it('none when a symptom is false, unknown, or a refutation holds', async () => {
    const runbooks = await loadAll(
      'common_issues:\n  - name: A\n    symptoms: [disk_usage > 90%]\n    unless: [service == "db"]\n',
    );
    expect(findRunbook(runbooks, { disk_usage: 10 })).toBeNull();
    expect(findRunbook(runbooks, {})).toBeNull();
    expect(findRunbook(runbooks, { disk_usage: 95, service: 'db' })).toBeNull();
    expect(findRunbook(runbooks, { disk_usage: 95 })?.runbook.name).toBe('A');
  });

  it('says of each why not', async () => {
    const [runbook] = await loadAll(
      'common_issues:\n  - name: A\n    symptoms: [disk_usage > 90%, tcp_open == true]\n    unless: [service == "db"]\n',
    );
    if (!runbook) throw new Error('it did not load');
    expect(explain(runbook, { disk_usage: 10 }).why).toBe(
      'disk_usage > 90% is not so (disk_usage 10); tcp_open == true is not known',
    );
    expect(explain(runbook, { disk_usage: 95, tcp_open: true, service: 'db' }).why).toBe(
      'ruled out by service == "db"',
    );
    expect(explain(runbook, { disk_usage: 95, tcp_open: true }).why).toBe(
      'disk_usage > 90% (disk_usage 95); tcp_open == true',
    );
  });
});

describe('a plan from a person’s runbook', () => {
  it('runs its commands by id, and verifies the worker that it is about', async () => {
    const runbooks = await loadAll(`common_issues:
  - name: Worker stopped
    symptoms: [worker_process_status == "dead"]
    auto_resolve:
      - command: "ssh pc 'supervisorctl restart {name}'"
      - verify: "check worker heartbeat"
      - verify: "{service}"
      - verify: "{service}/process"
`);
    const facts = { service: 'worker_3', worker_process_status: 'dead' };
    const found = findRunbook(runbooks, facts);
    if (!found) throw new Error('it does not fit');
    const evidence = [
      { source: 'a', title: 'status(worker_3)', quote: 'FATAL', verified: true, facts: ['worker_process_status'] },
      { source: 'b', title: 'disk(pc)', quote: '/dev/sda 40%', verified: true, facts: ['disk_usage'] },
    ];
    const diagnosis = diagnosisFrom(found.runbook, facts, evidence, { now: 0, config });
    expect(diagnosis.plan).toEqual([
      {
        kind: 'action',
        action: {
          tool: 'runbook_command',
          arguments: { id: 'Worker stopped#1', service: 'worker_3' },
          reason: 'Worker stopped',
        },
      },
      { kind: 'verify', checks: ['worker_3/heartbeat'] },
      { kind: 'verify', checks: ['worker_3/heartbeat', 'worker_3/process'] },
      { kind: 'verify', checks: ['worker_3/process'] },
    ]);
    expect(diagnosis.evidence.map((each) => each.quote)).toEqual(['FATAL']);
  });
});
