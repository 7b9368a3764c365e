import { z } from 'zod';
import { excerpt } from '../../src/health/format.ts';
import { portsOfChecks } from '../../src/services/check-ports.ts';
import { type Listener, listListeners } from '../../src/services/listeners.ts';
import { hideSecrets } from '../shared/mask.ts';
import { hostArgument, hostOf, serviceArgument } from '../shared/names.ts';
import { type ProcessEntry, readProcesses } from '../shared/processes.ts';
import { done, failed, lines } from '../shared/say.ts';
import { handlesFor, processesOf } from '../shared/service-processes.ts';
import { defineTool } from '../tool.ts';

const MOST = 40;
const port = z.object({
  port: z.number(),
  address: z.string(),
  pid: z.number().nullable(),
  program: z.string().nullable(),
  id: z.string().nullable(),
});
const output = z.object({
  host: z.string(),
  listening: z.array(port),
  takenByOthers: z.array(z.number()),
  nobodyListens: z.array(z.number()),
});

export const listPorts = defineTool({
  name: 'list_ports',
  description:
    'Who listens on which TCP port. With a service: whether its port is free, its own, or held by another process (then its id, such as pid-3). Use it for EADDRINUSE and connection refused.',
  risk: 'read',
  input: (scope, config) =>
    z.strictObject({ service: serviceArgument(scope, config, 'only its ports'), host: hostArgument(scope) }),
  output,
  async run(args, context) {
    const host = hostOf(args, context);
    const nothing = { host: host.name, listening: [], takenByOthers: [], nobodyListens: [] };
    const listed = await listListeners(host);
    if (!listed.ok)
      return failed(`${listed.error}. service_status and probe_endpoint tell whether a port answers.`, nothing);
    const service = args.service === undefined ? null : context.service(args.service);
    const wanted = service === null ? null : portsOfChecks(service);
    const found = service === null ? null : await processesOf(service, context);
    const table = found?.ok ? { ok: true as const, value: found.value.all } : await readProcesses(host, context.signal);
    const processes = new Map((table.ok ? table.value : []).map((entry) => [entry.pid, entry]));
    const listeners = once(listed.value.filter((each) => wanted === null || wanted.includes(each.port)));
    const shown = listeners.toSorted((a, b) => a.port - b.port).slice(0, MOST);
    const owners = shown
      .map((each) => processes.get(each.pid ?? 0))
      .filter((entry): entry is ProcessEntry => entry !== undefined);
    const ids = await handlesFor([...new Set(owners)], host.name, context);
    const foreign = found?.ok ? found.value.foreign : [];
    const nobodyListens = (wanted ?? []).filter((each) => !listeners.some((listener) => listener.port === each));
    const row = (each: Listener) => {
      const entry = each.pid === null ? undefined : processes.get(each.pid);
      const who =
        each.pid === null
          ? 'a process this user may not see (another user owns it)'
          : `pid ${each.pid} ${excerpt(hideSecrets(entry?.command ?? each.program ?? ''), 90)}`;
      const mark =
        foreign.includes(each) || foreign.some((other) => other.port === each.port) ? `  NOT ${service?.name}` : '';
      return `${each.address}:${each.port}  ${each.pid === null ? '' : `${ids.get(each.pid) ?? ''}  `}${who}${mark}`;
    };
    const content = lines(
      service === null
        ? `${host.name}: ${listeners.length} TCP ports are listened on`
        : `${service.name}: its checks use port ${wanted?.join(', ') || 'none'}`,
      shown.map(row),
      listeners.length > shown.length && `and ${listeners.length - shown.length} more; ask for one service`,
      nobodyListens.length > 0 && `nobody listens on port ${nobodyListens.join(', ')}`,
      foreign.length > 0 &&
        found?.ok &&
        found.value.main !== null &&
        `port ${[...new Set(foreign.map((each) => each.port))].join(', ')} is held by a process that is not ${service?.name}`,
      foreign.length > 0 &&
        found?.ok &&
        found.value.main === null &&
        `${service?.name} itself does not run (${found.value.status?.summary ?? found.value.statusError}), so its port is held by another`,
    );
    return done(content, {
      host: host.name,
      listening: shown.map((each) => ({ ...each, id: each.pid === null ? null : (ids.get(each.pid) ?? null) })),
      takenByOthers: [...new Set(foreign.map((each) => each.port))],
      nobodyListens,
    });
  },
});

/** A program with several workers on one socket is listed once. */
const once = (listeners: readonly Listener[]): Listener[] => {
  const seen = new Set<string>();
  return listeners.filter(({ address, port: number, program }) => {
    const key = `${address} ${number} ${program}`;
    return !seen.has(key) && seen.add(key);
  });
};
