import { failure, type Outcome, success } from '../base/outcome.ts';
import { type Host, succeeded } from '../hosts/host.ts';
import { listenersFromProc } from './proc-files.ts';

/** A TCP port somebody listens on; `pid` is null when this user may not see who. */
export interface Listener {
  address: string;
  port: number;
  pid: number | null;
  program: string | null;
}

/** Every TCP listener of the host: `ss` on Linux, `lsof` on macOS or where there is no `ss`. */
export async function listListeners(host: Host): Promise<Outcome<Listener[]>> {
  if ((await host.platform()) === 'linux') {
    const result = await host.run({ argv: ['ss', '-H', '-l', '-t', '-n', '-p'], maxBytes: 4 * 1024 * 1024 });
    if (succeeded(result)) return success(parseSs(result.stdout));
    if (result.failure !== 'not-found') return failure(`could not list listening ports: ${result.stderr.trim()}`);
  }
  const result = await host.run({ argv: ['lsof', '-nP', '-iTCP', '-sTCP:LISTEN', '-Fpcn'], maxBytes: 4 * 1024 * 1024 });
  // lsof exits 1 when it found nothing, and also when it had a warning.
  if (result.failure === undefined) return success(parseLsof(result.stdout));
  if (host.kind === 'local' && (await host.platform()) === 'linux') return listenersFromProc(host);
  return failure(`could not list listening ports of ${host.name}: ${result.stderr.trim()} (install ss or lsof)`);
}

/** `LISTEN 0 511 127.0.0.1:8080 0.0.0.0:* users:(("node",pid=12,fd=18),("node",pid=13,fd=18))` */
export function parseSs(output: string): Listener[] {
  const listeners: Listener[] = [];
  for (const line of output.split('\n')) {
    const columns = line.trim().split(/\s+/);
    const local = columns[3];
    const split = local?.lastIndexOf(':') ?? -1;
    if (columns[0] !== 'LISTEN' || local === undefined || split < 0) continue;
    const address = bare(local.slice(0, split));
    const port = Number(local.slice(split + 1));
    const owners = ownersIn(line);
    if (owners.length === 0) listeners.push({ address, port, pid: null, program: null });
    for (const owner of owners) listeners.push({ address, port, ...owner });
  }
  return listeners;
}

const OWNERS = /users:\(((?:\("[^"]+",pid=\d+,fd=\d+\),?)+)\)\s*$/;

/**
 * A program may call itself `x",pid=1234,` and `ss` writes that out as it stands: unless the whole is of the one form that
 * leaves no doubt, nobody is known. (15 characters do not suffice to forge an entry with a name.)
 */
function ownersIn(line: string): { pid: number; program: string }[] {
  const all = OWNERS.exec(line)?.[1] ?? '';
  return [...all.matchAll(/\("([^"]+)",pid=(\d+)/g)].map(([, program = '', pid]) => ({ pid: Number(pid), program }));
}

/** One field a line, by its first letter: p process, c program, n address. */
export function parseLsof(output: string): Listener[] {
  const listeners: Listener[] = [];
  let pid: number | null = null;
  let program: string | null = null;
  for (const line of output.split('\n')) {
    const value = line.slice(1);
    if (line.startsWith('p')) pid = Number(value);
    if (line.startsWith('c')) program = value;
    const split = value.lastIndexOf(':');
    if (!line.startsWith('n') || split < 0) continue;
    listeners.push({ address: bare(value.slice(0, split)), port: Number(value.slice(split + 1)), pid, program });
  }
  return listeners;
}

/** Without brackets and without the interface that `ss` adds (`127.0.0.53%lo`). */
const bare = (address: string): string => address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
