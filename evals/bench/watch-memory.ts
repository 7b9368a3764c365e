import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageFile } from '../../src/base/package-root.ts';

const CHECKS = 50;
const CYCLES = 10;

/** Resident memory in MB of a real `watch` with 50 HTTP and TCP checks after 10 cycles of a second each. */
export async function benchWatchMemory(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-bench-'));
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    response.end('{"status":"ok"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const checks = Array.from({ length: CHECKS }, (_, index) =>
    index % 2 === 0 ? `      - http: http://127.0.0.1:${port}/health/${index}` : `      - tcp: 127.0.0.1:${port}`,
  );
  const config = join(folder, 'nightshift.yaml');
  writeFileSync(
    config,
    `name: bench\nevery: 1s\nstate: ./state\nservices:\n  web:\n    manager: process\n    match: nightshift-bench\n    checks:\n${checks.join('\n')}\n`,
  );
  const child = spawn(process.execPath, [packageFile('bin/nightshift.js'), 'watch', '--json', '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const wanted = (CHECKS / 2) * CYCLES;
    for await (const _line of createInterface({ input: child.stdout })) if (requests >= wanted) break;
    if (requests < wanted) throw new Error(`the watch ended after ${requests} of ${wanted} requests`);
    return residentMegabytes(child.pid ?? 0);
  } finally {
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('close', resolve));
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function residentMegabytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`the memory of process ${pid} cannot be read: this bench needs /proc`);
  return Number(kilobytes) / 1024;
}
