import { type Host, succeeded } from '../../hosts/host.ts';
import { type Found, nothing } from './found.ts';

/** A TCP port somebody listens on. */
export interface Listener {
  address: string;
  port: number;
  /** Who has it open; empty when that may not be seen. */
  pids: number[];
  program: string | null;
  /** The control group of the socket (Linux): tells the unit even to those who may not see the process. */
  cgroup: string | null;
}

function splitAddress(text: string): { address: string; port: number } | null {
  const match = /^(.*):(\d{1,5})$/.exec(text);
  if (!match) return null;
  const address = (match[1] ?? '')
    .replace(/%.*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/%.*$/, '');
  return { address: address === '' ? '*' : address, port: Number(match[2]) };
}

/** `ss -ltnpeH`: state, queues, local address, peer, then who has it and its control group. */
export function parseSs(text: string): Listener[] {
  return text.split('\n').flatMap((line) => {
    const words = line.trim().split(/\s+/);
    const at = words[0] === 'LISTEN' ? splitAddress(words[3] ?? '') : null;
    if (!at) return [];
    const owners = [...line.matchAll(/\("((?:[^"\\]|\\.)*)",pid=(\d+)/g)];
    return [
      {
        ...at,
        pids: [...new Set(owners.map((owner) => Number(owner[2])))],
        program: owners[0]?.[1] ?? null,
        cgroup: /\bcgroup:(\/\S*)/.exec(line)?.[1] ?? null,
      },
    ];
  });
}

/** `lsof -F pcn`: a letter and a value a line; `p` begins a process, `n` is an address. */
export function parseLsof(text: string): Listener[] {
  const found = new Map<string, Listener>();
  let pid = 0;
  let program: string | null = null;
  for (const line of text.split('\n')) {
    const value = line.slice(1);
    if (line.startsWith('p')) {
      pid = Number(value);
      program = null;
    } else if (line.startsWith('c')) program = value;
    else if (line.startsWith('n')) {
      const at = splitAddress(value);
      if (!at) continue;
      const key = `${at.address} ${at.port}`;
      const before = found.get(key);
      if (before) before.pids = [...new Set([...before.pids, pid])];
      else found.set(key, { ...at, pids: [pid], program, cgroup: null });
    }
  }
  return [...found.values()];
}

/** `/proc/net/tcp` and `tcp6`: every port, but nobody's name. The last resort of a small image. */
export function parseProcNet(text: string): Listener[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*\d+:\s+([0-9A-F]+):([0-9A-F]{4})\s+\S+\s+0A\s/.exec(line);
    const hex = match?.[1];
    if (!hex) return [];
    const bytes = hex.match(/../g) ?? [];
    // Words of four bytes, each with its lowest byte first.
    const v4 =
      hex.length === 8
        ? bytes
            .reverse()
            .map((byte) => Number.parseInt(byte, 16))
            .join('.')
        : null;
    const v6 = /^0+$/.test(hex) ? '::' : hex === '00000000000000000000000001000000' ? '::1' : '*';
    return [{ address: v4 ?? v6, port: Number.parseInt(match[2] ?? '0', 16), pids: [], program: null, cgroup: null }];
  });
}

async function fromProc(host: Host): Promise<Found<Listener>> {
  const files = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((file) => host.readFile(file)));
  const items = files.flatMap((file) => (file.ok ? parseProcNet(file.value.text) : []));
  return {
    items,
    notes: ['neither ss nor lsof is there to tell whose the listening ports are: install iproute2'],
  };
}

/** Who listens on TCP ports: by `ss` on Linux, by `lsof` on macOS and where there is no `ss`. */
export async function findListeners(host: Host, platform: string): Promise<Found<Listener>> {
  if (platform !== 'darwin') {
    const ss = await host.run({ argv: ['ss', '-ltnpeH'], timeoutMs: 5000 });
    if (succeeded(ss)) return { items: parseSs(ss.stdout), notes: [] };
  }
  const lsof = await host.run({ argv: ['lsof', '-nP', '-iTCP', '-sTCP:LISTEN', '-F', 'pcn'], timeoutMs: 10_000 });
  // Exit code 1 and no output: there was nothing to list.
  if (lsof.failure === undefined && (lsof.exitCode === 0 || lsof.stdout.startsWith('p') || lsof.stderr.trim() === ''))
    return {
      items: parseLsof(lsof.stdout),
      notes: platform === 'darwin' ? [] : ['ss is not there: ports of other users cannot be seen with lsof'],
    };
  if (platform === 'darwin')
    return nothing(`listening ports cannot be seen: lsof ${lsof.failure ?? lsof.stderr.trim()}`);
  return fromProc(host);
}
