import type { Clock } from '../../base/clock.ts';
import type { DiscoveredService, Discovery } from '../../config/discovery.ts';
import type { CheckInput } from '../../config/schema.ts';
import type { Host } from '../../hosts/host.ts';
import { type Candidate, gatherCandidates } from './candidates.ts';
import { findContainers } from './docker.ts';
import { examinePort, kindOnPort } from './endpoints.ts';
import { findJobs } from './launchd.ts';
import { findListeners, type Listener } from './listeners.ts';
import { findDisks, findMemory } from './machine.ts';
import { createNames } from './naming.ts';
import { readCgroups } from './owners.ts';
import { findPm2 } from './pm2.ts';
import { findProcesses } from './processes.ts';
import { findPrograms } from './supervisor.ts';
import { findUnits } from './systemd.ts';

/** From here on, Linux gives ports to whoever asks for any: nobody else is told to expect something there. */
const FIRST_PASSING_PORT = 32_768;
const MOST_PORTS = 6;

/** An address at which a listener is met from its own machine; loopback before all others. */
function addressOf(listeners: readonly Listener[]): string {
  const addresses = listeners.map((listener) => listener.address);
  if (addresses.some((address) => ['*', '0.0.0.0', '127.0.0.1', '::', '::ffff:127.0.0.1'].includes(address)))
    return '127.0.0.1';
  return addresses.find((address) => address === '::1') ?? addresses[0] ?? '127.0.0.1';
}

async function complete(host: Host, candidate: Candidate, free: (address: string, port: number) => boolean) {
  const { listeners, wanted, clue, sure, checks, suggestions, ...rest } = candidate;
  const published = [...new Set(listeners.map(({ port }) => port))].sort((a, b) => a - b);
  const own = published
    .map((port) => ({ port, address: addressOf(listeners.filter((each) => each.port === port)) }))
    .slice(0, MOST_PORTS)
    .filter(({ port, address }) => free(address, port));
  const onLoopback = own.filter(({ address }) => address === '127.0.0.1' || address === '::1');
  const examined = await Promise.all(
    own.map(({ port, address }) => examinePort(host, address, port, kindOnPort(port, clue))),
  );
  const portChecks: CheckInput[] = examined.map(({ check }) => check);
  const telling = portChecks.some((check) => !('tcp' in check));
  const lasting = published.some((port) => port < FIRST_PASSING_PORT);
  // A process is found again by its text or by its port on loopback; without either there is nothing to watch.
  const findable = rest.manager !== 'process' || rest.match !== undefined || onLoopback.length > 0;
  return {
    keep: findable && (sure || telling || lasting),
    wanted,
    service: {
      ...rest,
      host: host.name,
      ports: published,
      checks: [...checks, ...portChecks],
      suggestions: [...suggestions, ...examined.flatMap((each) => each.suggestions)],
    },
  };
}

/** Looks at a host from outside its services, changing nothing: what listens, what its managers know, its disks and its memory. What cannot be seen is a note, never a failure. */
export async function discover(host: Host, clock: Clock): Promise<Discovery> {
  const at = clock.now();
  const platform = await host.platform();
  const [listeners, processes, units, containers, programs, jobs, disks, memory] = await Promise.all([
    findListeners(host, platform),
    findProcesses(host),
    findUnits(host),
    findContainers(host),
    findPrograms(host),
    findJobs(host, platform),
    findDisks(host, platform),
    findMemory(host, platform),
  ]);
  const pm2 = await findPm2(host, processes.items);
  const sighting = {
    listeners: listeners.items,
    processes: new Map(processes.items.map((entry) => [entry.pid, entry])),
    units: units.items,
    containers: containers.items,
    programs: programs.items,
    pm2: pm2.items,
    jobs: jobs.items,
  };
  const pids = [...new Set(listeners.items.flatMap((listener) => listener.pids))];
  const cgroups = platform === 'linux' ? await readCgroups(host, pids) : new Map<number, string>();
  const { candidates, unowned } = await gatherCandidates(host, sighting, cgroups);

  const taken = new Set<string>();
  const free = (address: string, port: number): boolean => {
    const key = `${address === '::1' ? '127.0.0.1' : address} ${port}`;
    return !taken.has(key) && Boolean(taken.add(key));
  };
  const completed = await Promise.all(candidates.map((candidate) => complete(host, candidate, free)));
  const name = createNames();
  const services = completed
    .filter(({ keep }) => keep)
    .map(({ wanted, service }): DiscoveredService => {
      const { unit, ...rest } = service;
      const given = name(wanted);
      return { name: given, ...rest, ...(unit === undefined || unit === given ? {} : { unit }) };
    });
  const passing = completed.filter(({ keep }) => !keep).length;
  const hidden = [...new Set(unowned.map(({ port }) => port))].sort((a, b) => a - b);
  return {
    host: host.name,
    at,
    services,
    disks: disks.items,
    memory,
    notes: [
      ...[listeners, processes, units, containers, programs, pm2, jobs, disks].flatMap((source) => source.notes),
      ...(memory === null ? ['the size of the memory cannot be seen'] : []),
      ...(hidden.length > 0
        ? [
            `port${hidden.length > 1 ? 's' : ''} ${hidden.slice(0, 12).join(', ')}: who listens there cannot be seen by this user; root may see more`,
          ]
        : []),
      ...(passing > 0
        ? [`${passing} program${passing > 1 ? 's' : ''} on passing ports (${FIRST_PASSING_PORT} and up) left out`]
        : []),
    ],
  };
}
