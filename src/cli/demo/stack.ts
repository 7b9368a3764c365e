import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A free port of this machine, as the kernel gives it. */
const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });

/** Beside this file, in the source tree and in the compiled package alike. */
const program = (name: string) =>
  join(fileURLToPath(import.meta.url), '..', `${name}${extname(fileURLToPath(import.meta.url))}`);

/** Lays a small stack and its nightshift.yaml into a new temporary folder; nothing runs yet. */
export async function layStack(): Promise<{ folder: string; configFile: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-demo-'));
  const cachePort = await freePort();
  const apiPort = await freePort();
  const start = (name: string, ...args: (string | number)[]) =>
    JSON.stringify([process.execPath, program(name), ...args.map(String)]);
  const configFile = join(folder, 'nightshift.yaml');
  writeFileSync(
    configFile,
    `# The demo's inventory: an API that needs a cache, and a worker.
name: demo
mode: act
every: 1s
state: ./state
machine: {}
services:
  cache:
    manager: process
    start: ${start('cache', cachePort)}
    directory: .
    pid_file: ./cache.pid
    logs: ./cache.log
    hold: 2s
    starts_within: 8s
    checks:
      - tcp: 127.0.0.1:${cachePort}
        within: 800ms
  api:
    manager: process
    start: ${start('api', apiPort, cachePort)}
    directory: .
    pid_file: ./api.pid
    logs: ./api.log
    depends_on: [cache]
    hold: 2s
    starts_within: 8s
    checks:
      - http: http://127.0.0.1:${apiPort}/health
        within: 800ms
      - tcp: 127.0.0.1:${apiPort}
        within: 800ms
  worker:
    manager: process
    start: ${start('worker', join(folder, 'worker.heartbeat'))}
    directory: .
    pid_file: ./worker.pid
    logs: ./worker.log
    rotate: { above: 1MB, keep: 2 }
    hold: 2s
    checks:
      - heartbeat: ./worker.heartbeat
        critical: 10s
      - file_size: ./worker.log
        critical: 1MB
`,
  );
  return { folder, configFile };
}
