import { z } from 'zod';
import type { Config, Service } from '../../src/config/schema.ts';
import { formatBytes } from '../../src/health/format.ts';
import type { FileFacts, Host } from '../../src/hosts/host.ts';
import { type Accounts, readAccounts } from '../shared/accounts.ts';
import { oneOf, servicesIn } from '../shared/names.ts';
import { mayWrite, type RunsAs, runsAs } from '../shared/runs-as.ts';
import { ago, done, lines } from '../shared/say.ts';
import { processesOf } from '../shared/service-processes.ts';
import { defineTool, type ToolContext, type ToolScope } from '../tool.ts';

const MOST_NAMED = 40;
const MOST_ENTRIES = 25;
const output = z.object({
  service: z.string(),
  runsAs: z.string().nullable(),
  paths: z.array(
    z.object({
      path: z.string(),
      kind: z.string(),
      owner: z.string(),
      group: z.string(),
      mode: z.string(),
      sizeBytes: z.number(),
      modifiedAt: z.number(),
      writable: z.boolean().nullable(),
    }),
  ),
  missing: z.array(z.string()),
});

const withFiles = (scope: ToolScope, config: Config): string[] =>
  servicesIn(scope, config, (service) => pathsOf(service).length > 0);

export const serviceFiles = defineTool({
  name: 'service_files',
  description:
    'Owner, group, mode, size and age of the directory (with what is in it), files, logs, caches and releases of a service, and whether the user it runs as may write there. Use it for "permission denied" and for what is missing.',
  risk: 'read',
  applies: (scope, config) => withFiles(scope, config).length > 0,
  input: (scope, config) => z.strictObject({ service: oneOf(withFiles(scope, config), 'whose files') }),
  output,
  async run({ service: name }, context) {
    const service = context.service(name);
    const host = context.host(service.host);
    const [found, accounts, rights, entries] = await Promise.all([
      Promise.all(
        pathsOf(service)
          .slice(0, MOST_NAMED)
          .map(async (path) => look(host, path)),
      ),
      readAccounts(host),
      rightsOf(service, host, context),
      entriesOf(service, host),
    ]);
    const named = found.flatMap(({ facts }) => facts ?? []);
    const others = entries.filter(({ path }) => !named.some((each) => each.path === path));
    const inside = others.slice(0, MOST_ENTRIES);
    const left = others.length - inside.length;
    const writableBy = (facts: FileFacts) => (rights.as === null ? null : mayWrite(rights.as, facts));
    const row = (facts: FileFacts) => `  ${describe(facts, accounts, context.clock.now())}${remark(writableBy(facts))}`;
    const missing = found.filter(({ facts, error }) => facts === null && error === null).map(({ path }) => path);
    const who = rights.as === null ? null : whoIs(rights.as, accounts);
    const content = lines(
      `${name} ${who === null ? `has no process now (${rights.why}), so who it runs as is not known` : `runs as ${who}`}:`,
      named.map(row),
      missing.length > 0 && `missing: ${missing.join(', ')}`,
      found.flatMap(({ path, error }) => (error === null ? [] : [`  ${path}: ${error}`])),
      inside.length > 0 && `in ${service.directory}:`,
      inside.map(row),
      left > 0 && `  and ${left} more`,
    );
    const details = [...named, ...inside].map((facts) => ({
      path: facts.path,
      kind: facts.kind,
      owner: accounts.user(facts.owner),
      group: accounts.group(facts.group),
      mode: facts.mode.toString(8),
      sizeBytes: facts.sizeBytes,
      modifiedAt: facts.modifiedAt,
      writable: writableBy(facts),
    }));
    return done(content, { service: name, runsAs: who, paths: details, missing });
  },
});

/** What the inventory names of it. */
function pathsOf(service: Service): string[] {
  const named = [
    service.directory,
    ...(service.files ?? []),
    ...service.logs,
    ...(service.clear ?? []),
    service.releases?.directory,
    service.releases?.current,
    service.pid_file,
    ...service.checks.map(({ settings }) => ('heartbeat' in settings ? settings.heartbeat : undefined)),
  ];
  return [...new Set(named.filter((path): path is string => path?.startsWith('/') === true))];
}

async function look(
  host: Host,
  path: string,
): Promise<{ path: string; facts: FileFacts | null; error: string | null }> {
  const facts = await host.fileFacts(path);
  return facts.ok ? { path, facts: facts.value, error: null } : { path, facts: null, error: facts.error };
}

/** What lies in its directory, what belongs to somebody else than the directory first: that is what is out of place. */
async function entriesOf(service: Service, host: Host): Promise<FileFacts[]> {
  if (service.directory === undefined) return [];
  const [own, listed] = await Promise.all([host.fileFacts(service.directory), host.list(service.directory)]);
  const owner = own.ok ? own.value?.owner : undefined;
  return (listed.ok ? listed.value : []).toSorted(
    (a, b) => Number(a.owner === owner) - Number(b.owner === owner) || b.modifiedAt - a.modifiedAt,
  );
}

async function rightsOf(
  service: Service,
  host: Host,
  context: ToolContext,
): Promise<{ as: RunsAs | null; why: string }> {
  const found = await processesOf(service, context);
  if (!found.ok) return { as: null, why: found.error };
  const { main, status, statusError } = found.value;
  if (main === null) return { as: null, why: status?.summary ?? statusError ?? 'no process' };
  return { as: await runsAs(host, main), why: '' };
}

const whoIs = ({ user, groups }: RunsAs, accounts: Accounts): string =>
  `${accounts.user(user)}${groups === null ? '' : ` (groups ${[...new Set(groups)].map(accounts.group).join(', ')})`}`;

const KINDS: Record<string, string> = { directory: 'd', link: 'l', socket: 's', file: '-' };

/** `drwxr-x--- app:app  4.0 kB  changed 3 min ago  /srv/app`. */
function describe(facts: FileFacts, accounts: Accounts, now: number): string {
  const size = facts.kind === 'file' ? `${formatBytes(facts.sizeBytes)}  ` : '';
  const target = facts.target === undefined ? '' : ` -> ${facts.target}`;
  return `${KINDS[facts.kind] ?? '?'}${modeInLetters(facts.mode)} ${accounts.user(facts.owner)}:${accounts.group(facts.group)}  ${size}changed ${ago(now, facts.modifiedAt)}  ${facts.path}${target}`;
}

const modeInLetters = (mode: number): string =>
  [6, 3, 0]
    .map((shift) => {
      const bits = (mode >> shift) & 7;
      return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${bits & 1 ? 'x' : '-'}`;
    })
    .join('');

const remark = (writable: boolean | null): string => (writable === false ? '  (it may not write here)' : '');
