import { z } from 'zod';
import { type Host, succeeded } from '../../src/hosts/host.ts';
import { oneOf, servicesIn } from '../shared/names.ts';
import { done, failed, lines, whatCameBack } from '../shared/say.ts';
import { processesOf } from '../shared/service-processes.ts';
import { defineTool } from '../tool.ts';

const output = z.object({
  service: z.string(),
  pid: z.number().nullable(),
  open: z.number().nullable(),
  limit: z.number().nullable(),
  kinds: z.record(z.string(), z.number()),
});

export const openFiles = defineTool({
  name: 'open_files',
  description:
    'How many files and sockets the main process of a service has open, of how many it may. Use it for EMFILE, "too many open files", or connections that are not accepted.',
  risk: 'read',
  input: (scope, config) => z.strictObject({ service: oneOf(servicesIn(scope, config), 'whose process') }),
  output,
  async run({ service: name }, context) {
    const service = context.service(name);
    const host = context.host(service.host);
    const nothing = { service: name, pid: null, open: null, limit: null, kinds: {} };
    const found = await processesOf(service, context);
    if (!found.ok) return failed(found.error, nothing);
    const main = found.value.main;
    if (main === null)
      return failed(`${name} has no process: ${found.value.status?.summary ?? found.value.statusError}`, nothing);
    const counted =
      (await host.platform()) === 'linux'
        ? await countOnLinux(host, main.pid)
        : await countWithLsof(host, main.pid, context.signal);
    if ('error' in counted)
      return failed(`The open files of pid ${main.pid} could not be counted: ${counted.error}`, {
        ...nothing,
        pid: main.pid,
      });
    const { targets, limit } = counted;
    const kinds: Record<string, number> = {};
    for (const target of targets) kinds[kindOf(target)] = (kinds[kindOf(target)] ?? 0) + 1;
    const files = targets.filter((target) => target.startsWith('/') && !target.startsWith('/dev/'));
    const repeated = [...Map.groupBy(files, (path) => path)]
      .map(([path, same]) => ({ path, times: same.length }))
      .filter(({ times }) => times > 3)
      .toSorted((a, b) => b.times - a.times)
      .slice(0, 3);
    const part = limit === null || limit === 0 ? null : targets.length / limit;
    const content = lines(
      `${name}, pid ${main.pid}: ${targets.length} open${limit === null ? ', its limit is not known' : ` of at most ${limit} (${Math.round((part ?? 0) * 100)} %)`}`,
      part !== null &&
        part >= 0.9 &&
        'it is at its limit: it cannot open files or accept connections. A restart frees them; a leak comes back',
      Object.entries(kinds)
        .toSorted((a, b) => b[1] - a[1])
        .map(([kind, times]) => `  ${times} ${kind}`),
      repeated.map(({ path, times }) => `  ${times} times the same file: ${path}`),
    );
    return done(content, { service: name, pid: main.pid, open: targets.length, limit, kinds });
  },
});

type Counted = { targets: string[]; limit: number | null } | { error: string };

async function countOnLinux(host: Host, pid: number): Promise<Counted> {
  const [listed, limits] = await Promise.all([
    host.list(`/proc/${pid}/fd`),
    host.readFile(`/proc/${pid}/limits`, { maxBytes: 8192 }),
  ]);
  if (!listed.ok) return { error: `${listed.error}; the process of another user is seen only as root` };
  const limit = limits.ok ? /^Max open files\s+(\d+)/m.exec(limits.value.text)?.[1] : undefined;
  return {
    targets: listed.value.map((entry) => entry.target ?? ''),
    limit: limit === undefined ? null : Number(limit),
  };
}

/** macOS does not tell the limit of another process; launchd's is what daemons get. */
async function countWithLsof(host: Host, pid: number, signal: AbortSignal): Promise<Counted> {
  const [opened, limits] = await Promise.all([
    host.run({ argv: ['lsof', '-nP', '-p', String(pid), '-F', 'ftn'], timeoutMs: 10_000, signal }),
    host.run({ argv: ['launchctl', 'limit', 'maxfiles'], timeoutMs: 5000, signal }),
  ]);
  if (opened.failure !== undefined || opened.stdout === '') return { error: whatCameBack(opened, host) };
  const limit = succeeded(limits) ? /maxfiles\s+(\d+)/.exec(limits.stdout)?.[1] : undefined;
  return { targets: parseLsofOpen(opened.stdout), limit: limit === undefined ? null : Number(limit) };
}

/** `lsof -F ftn`: only numbered descriptors count against the limit, not what is mapped or the working directory. */
export function parseLsofOpen(text: string): string[] {
  const targets: string[] = [];
  let counts = false;
  let type = '';
  for (const line of text.split('\n')) {
    const value = line.slice(1);
    if (line.startsWith('f')) counts = /^\d+$/.test(value);
    if (line.startsWith('t')) type = value;
    if (line.startsWith('n') && counts)
      targets.push(
        value.startsWith('/')
          ? value
          : `${/^(IPv[46]|unix|systm)$/.test(type) ? 'socket' : type.toLowerCase()}:${value}`,
      );
  }
  return targets;
}

const kindOf = (target: string): string =>
  target.startsWith('/dev/') ? 'devices' : target.startsWith('/') ? 'files' : `${target.split(':')[0]}s`;
