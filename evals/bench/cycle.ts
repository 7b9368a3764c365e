import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { systemClock } from '../../src/base/clock.ts';
import type { CheckConfig } from '../../src/config/checks.ts';
import { serviceSchema } from '../../src/config/schema.ts';
import { createMonitor } from '../../src/health/monitor.ts';
import { createLocalHost } from '../../src/hosts/local.ts';

const CHECKS = 2000;
const CONCURRENCY = 64;
const ROUNDS = 15;

const portsSchema = z.object({ http: z.array(z.number()), tcp: z.array(z.number()) });
type Ports = z.output<typeof portsSchema>;

interface CycleBench {
  /** Median of the monitor's rounds over the median of the plain loop's, taken in turns in the same run. */
  cycle_ratio: number;
  details: { checks: number; concurrency: number; monitor_ms: number[]; plain_ms: number[]; ok: number };
}

/** A cycle of 2 000 HTTP and TCP checks against a plain loop of the same requests with node:http and node:net. */
export async function benchCycle(): Promise<CycleBench> {
  const server = fork(fileURLToPath(new URL('./cycle-server.ts', import.meta.url)));
  try {
    const ports = portsSchema.parse((await once(server, 'message'))[0]);
    const checks = manyChecks(ports);
    const monitor = monitorOf(checks);
    const monitorTimes: number[] = [];
    const plainTimes: number[] = [];
    let ok = 0;
    await monitor.measure(checks);
    await plainLoop(checks);
    for (let round = 0; round < ROUNDS; round += 1) {
      const cycle = async () => {
        const results = await monitor.measure(checks);
        ok = results.filter((result) => result.verdict === 'ok').length;
      };
      const plain = () => plainLoop(checks);
      // Who goes second inherits the other's garbage: take turns at that, too.
      const pair = [
        { run: cycle, times: monitorTimes },
        { run: plain, times: plainTimes },
      ];
      for (const { run, times } of round % 2 === 0 ? pair : pair.reverse()) times.push(await timed(run));
    }
    if (ok !== CHECKS) throw new Error(`only ${ok} of ${CHECKS} checks were ok: the figure would mean nothing`);
    const ratio = median(monitorTimes) / median(plainTimes);
    return {
      cycle_ratio: Math.round(ratio * 1000) / 1000,
      details: { checks: CHECKS, concurrency: CONCURRENCY, monitor_ms: monitorTimes, plain_ms: plainTimes, ok },
    };
  } finally {
    server.disconnect();
  }
}

async function timed(run: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await run();
  return Math.round(performance.now() - startedAt);
}

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const common = { service: 'api', everyMs: 60_000, withinMs: 5000, fails: 2, of: 2, as: 'critical' } as const;

const manyChecks = (ports: Ports): CheckConfig[] =>
  Array.from({ length: CHECKS }, (_, index): CheckConfig => {
    const key = `api/${index}`;
    const port = ports[index % 2 === 0 ? 'http' : 'tcp'][(index >> 1) % 4];
    return index % 2 === 0
      ? { ...common, key, name: key, kind: 'http', settings: { http: `http://127.0.0.1:${port}/health` } }
      : { ...common, key, name: key, kind: 'tcp', settings: { tcp: `127.0.0.1:${port}` } };
  });

function monitorOf(checks: CheckConfig[]) {
  const service = {
    ...serviceSchema.parse({ manager: 'process' }),
    name: 'api',
    unit: 'api',
    logs: [],
    dependsOn: [],
    checks,
    machine: false,
  };
  const host = createLocalHost(systemClock);
  const history = { samples: () => [], lastPing: () => null, position: () => null, setPosition: () => undefined };
  return createMonitor({
    config: { name: 'bench', services: new Map([['api', service]]) },
    clock: systemClock,
    concurrency: CONCURRENCY,
    context: () => ({
      service,
      host,
      manager: null,
      clock: systemClock,
      history,
      latest: () => undefined,
      secret: () => '',
    }),
  });
}

const agent = new Agent({ keepAlive: false });

async function plainLoop(checks: CheckConfig[]): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let check = checks[next++]; check; check = checks[next++]) {
      if ('http' in check.settings) await plainGet(check.settings.http);
      else if ('tcp' in check.settings) await plainConnect(check.settings.tcp);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

const plainGet = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve(body));
    }).on('error', reject);
  });

const plainConnect = (address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const [host = '', port = ''] = address.split(':');
    const socket = connect(Number(port), host, () => {
      socket.destroy();
      resolve();
    });
    socket.on('error', reject);
  });
