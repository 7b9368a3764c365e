import type { DiscoveredService } from '../../config/discovery.ts';
import type { Host } from '../../hosts/host.ts';
import {
  baseName,
  distinctiveText,
  isInterpreter,
  nameOfCommand,
  scriptOf,
  splitCommand,
  withoutSecrets,
} from './argv.ts';
import { isServerJob } from './launchd.ts';
import type { Listener } from './listeners.ts';
import { type Owner, ownerOf, type Sighting } from './owners.ts';
import { lineage } from './processes.ts';

/** A service in the making: all but its name and the checks of its ports. */
export interface Candidate extends Omit<DiscoveredService, 'name' | 'ports' | 'host'> {
  /** The name it should have if that is free. */
  wanted: string;
  /** What tells its kind: its unit, image or command. */
  clue: string;
  listeners: Listener[];
  /** Whether to keep it when nothing but an unknown port speaks for it. */
  sure: boolean;
}

/** Programs of a desktop, and helpers of services that are found by themselves. */
const NOT_SERVERS =
  /^(chrome|chromium|firefox|code|cursor|electron|slack|discord|spotify|dropbox|zoom|teams|steam|plasma|gnome-.*|kdeconnectd|docker-proxy|rootlessport|rapportd|ControlCenter|ControlCe|identityservicesd|sharingd|AirPlayXPCHelper|OneDrive|Google|adb|gopls|rust-analyzer|tsserver|language_server|containerd|dhclient|systemd.*|launchd|init)/i;

const oneLine = (text: string): string =>
  text
    .replace(/[^\x20-\x7e\u00a0-\uffff]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();

/** How it was found, with where it listens. */
const seen = (what: string, listeners: readonly Listener[]): string => {
  const places = [
    ...new Set(
      listeners.map(({ address, port }) =>
        /^(\*|0\.0\.0\.0|::)$/.test(address)
          ? `port ${port}`
          : `${address.includes(':') ? `[${address}]` : address}:${port}`,
      ),
    ),
  ];
  return oneLine(
    places.length === 0 ? what : `${what}, listens on ${places.slice(0, 6).join(', ')}${places.length > 6 ? ' …' : ''}`,
  );
};

/** Puts what is needed to start a process again into comments: what is seen of it is a guess at how it was started. */
async function processCandidate(
  host: Host,
  pid: number,
  listeners: Listener[],
  sighting: Sighting,
): Promise<Candidate | null> {
  const entry = sighting.processes.get(pid);
  const [cmdline, folder] = await Promise.all([
    host.readFile(`/proc/${pid}/cmdline`),
    host.fileFacts(`/proc/${pid}/cwd`),
  ]);
  const command = entry?.command ?? listeners[0]?.program ?? '';
  const argv = splitCommand(cmdline.ok ? cmdline.value.text : null, command);
  const directory = folder.ok ? (folder.value?.target ?? null) : null;
  const program = baseName(argv[0] ?? '');
  if (argv.length === 0 || NOT_SERVERS.test(program)) return null;
  const family = new Set(
    [...sighting.processes.keys()].filter((each) => lineage(each, sighting.processes).includes(pid)),
  );
  const parents = new Set(lineage(pid, sighting.processes));
  const others = [...sighting.processes.values()].filter((each) => !family.has(each.pid) && !parents.has(each.pid));
  const match = distinctiveText(
    argv,
    command,
    others.map((each) => each.command),
  );
  const safe = withoutSecrets(argv);
  // A title that a program wrote itself is no command, and an interpreter without its script starts nothing.
  const whole = cmdline.ok && cmdline.value.text.split('\0').filter(Boolean).length > 1;
  const startable =
    whole && safe.argv.length > (isInterpreter(program) && scriptOf(safe.argv) === null ? argv.length : 0);
  const clean = (text: string): boolean => withoutSecrets([text]).argv.length === 1;
  return {
    wanted: safe.argv.length > 0 ? nameOfCommand(safe.argv, directory) : program,
    clue: safe.argv.slice(0, 3).join(' '),
    manager: 'process',
    checks: [{ process: 'main' }],
    ...(match === null ? {} : { match }),
    found: seen(`process ${pid} (${clean(program) ? program : 'its name is not shown'})`, listeners),
    suggestions: [
      ...(startable
        ? [
            `start: [${safe.argv.map((part) => JSON.stringify(part)).join(', ')}]${safe.cut ? '   # and more, left out: it may hold a secret' : ''}`,
          ]
        : []),
      ...(startable && directory !== null && directory !== '/' && clean(directory)
        ? [`directory: ${JSON.stringify(directory)}`]
        : []),
    ],
    listeners,
    sure: false,
  };
}

function keyOf(owner: Owner): string | null {
  switch (owner.kind) {
    case 'container':
      return owner.container.compose
        ? `compose ${owner.container.compose.project} ${owner.container.compose.service}`
        : `docker ${owner.container.name}`;
    case 'supervisor':
    case 'pm2':
      return `${owner.kind} ${owner.program.name}`;
    case 'job':
      return `job ${owner.job.label}`;
    case 'unit':
      return `unit ${owner.unit.user} ${owner.unit.id}`;
    case 'process':
      return `process ${owner.pid}`;
    default:
      return null;
  }
}

type Managed = Exclude<Owner, { kind: 'process' | 'plumbing' | 'unknown' }>;

function managedCandidate(owner: Managed, listeners: Listener[], sighting: Sighting): Candidate | null {
  const common = { listeners, sure: true, suggestions: [] };
  if (owner.kind === 'unit') {
    const { unit } = owner;
    const short = unit.id.replace(/\.service$/, '');
    return {
      ...common,
      wanted: short,
      clue: `${short} ${unit.description}`,
      manager: 'systemd',
      unit: short,
      ...(unit.user ? { user: true } : {}),
      checks: [{ unit: unit.id }],
      found: seen(
        `systemd unit ${unit.id}${unit.failed ? ' (failed)' : ''}: ${unit.description.slice(0, 80)}`,
        listeners,
      ),
    };
  }
  if (owner.kind === 'container') {
    const { container } = owner;
    const { compose } = container;
    const same = compose
      ? sighting.containers.filter(
          (each) => each.compose?.project === compose.project && each.compose.service === compose.service,
        )
      : [container];
    const [file] = compose?.files ?? [];
    return {
      ...common,
      wanted: compose?.service ?? container.name,
      clue: `${container.name} ${container.image.split('@')[0]}`,
      manager: compose ? 'compose' : 'docker',
      unit: compose?.service ?? container.name,
      ...(file === undefined ? {} : { composeFile: file }),
      checks: same.map((each) => ({ container: each.name })),
      found: seen(
        `container ${same.map((each) => each.name).join(', ')} (${container.image.split('@')[0]?.slice(0, 60)})${compose ? ` of the compose project ${compose.project}` : ''}`,
        listeners,
      ),
    };
  }
  if (owner.kind === 'job') {
    const { job } = owner;
    if (listeners.length === 0 && !isServerJob(job)) return null;
    return {
      ...common,
      wanted: job.label.split('.').at(-1) ?? job.label,
      clue: job.label,
      manager: 'launchd',
      unit: job.label,
      checks: [{ process: 'main' }],
      found: seen(`launchd job ${job.label}`, listeners),
    };
  }
  const { program } = owner;
  const state = 'state' in program ? program.state : program.status;
  return {
    ...common,
    wanted: program.name.split(':').at(-1) ?? program.name,
    clue: program.name,
    manager: owner.kind,
    unit: program.name,
    checks: [{ process: 'main' }],
    found: seen(`${owner.kind} program ${program.name} (${state.toLowerCase()})`, listeners),
  };
}

/** What belongs together becomes one candidate; ports that belong to nobody who may be seen are handed back. */
export async function gatherCandidates(
  host: Host,
  sighting: Sighting,
  cgroups: ReadonlyMap<number, string>,
): Promise<{ candidates: Candidate[]; unowned: Listener[] }> {
  const groups = new Map<string, { owner: Owner; listeners: Listener[] }>();
  const add = (owner: Owner, listener?: Listener): void => {
    const key = keyOf(owner);
    if (key === null) return;
    const group = groups.get(key) ?? { owner, listeners: [] };
    if (listener) group.listeners.push(listener);
    groups.set(key, group);
  };
  for (const container of sighting.containers) add({ kind: 'container', container });
  for (const program of sighting.programs) add({ kind: 'supervisor', program });
  for (const program of sighting.pm2) add({ kind: 'pm2', program });
  for (const job of sighting.jobs) add({ kind: 'job', job });
  for (const unit of sighting.units) add({ kind: 'unit', unit });
  const unowned: Listener[] = [];
  for (const listener of sighting.listeners) {
    const owner = ownerOf(listener, sighting, cgroups);
    if (owner.kind === 'unknown') unowned.push(listener);
    else add(owner, listener);
  }
  const candidates = await Promise.all(
    [...groups.values()].map(async ({ owner, listeners }) => {
      if (owner.kind === 'process') return processCandidate(host, owner.pid, listeners, sighting);
      if (owner.kind === 'plumbing' || owner.kind === 'unknown') return null;
      return managedCandidate(owner, listeners, sighting);
    }),
  );
  return { candidates: candidates.filter((each) => each !== null), unowned };
}
