import { z } from 'zod';
import { failure, type Outcome, success } from '../base/outcome.ts';
import type { ManagerKind } from '../config/schema.ts';
import { absentStatus, combineStatus } from './combined-status.ts';
import { createDockerCommand, type DockerCommand, noSuchContainer } from './docker-cli.ts';
import { mergeStreams } from './docker-logs.ts';
import {
  type Container,
  finishedAt,
  hasEnded,
  INSPECT_FORMAT,
  parseContainers,
  statusOf,
  stoppedByPolicy,
} from './docker-state.ts';
import { readLogFiles } from './log-files.ts';
import type { LogText, LogWindow, Manager, ManagerContext, ServiceStatus } from './manager.ts';
import { newestLines, parseJson } from './said.ts';

const DEFAULT_LOG_BYTES = 1024 * 1024;
const ACTION_GRACE_MS = 20_000;

/** Which containers a service is made of, by name or id. Empty when there are none. */
type Locate = () => Promise<Outcome<string[]>>;

/** Containers as a service: one for docker, one or more for a compose service. */
export interface Containers extends Manager {
  /** The docker client it works with. */
  readonly docker: DockerCommand;
  /** What docker says of them now. */
  inspect(): Promise<Outcome<Container[]>>;
}

/** Manages the containers that `locate` names. `absent` says what is missing and how to make it. */
export function manageContainers(
  context: ManagerContext,
  kind: ManagerKind,
  locate: Locate,
  absent: () => string,
): Containers {
  const { service, host } = context;
  const docker = createDockerCommand(context);
  const drainSeconds = String(Math.ceil(service.drain / 1000));

  const inspect = async (): Promise<Outcome<Container[]>> => {
    const names = await locate();
    if (!names.ok) return names;
    if (names.value.length === 0) return success([]);
    const result = await docker(['inspect', '--type', 'container', '--format', INSPECT_FORMAT, '--', ...names.value]);
    if (result.ok) return parseContainers(result.value.stdout);
    return noSuchContainer(result.error) ? success([]) : result;
  };

  /** The containers, or the failure that says that there are none. */
  const present = async (): Promise<Outcome<Container[]>> => {
    const containers = await inspect();
    return containers.ok && containers.value.length === 0 ? failure(`${service.name}: ${absent()}`) : containers;
  };

  const act = async (verb: string, args: readonly string[], containers: Container[]): Promise<Outcome<string>> => {
    const names = containers.map(({ Name }) => Name);
    const timeoutMs = (service.drain + ACTION_GRACE_MS) * Math.max(1, names.length);
    const result = await docker([...args, '--', ...names], { timeoutMs });
    return result.ok ? success(`docker ${verb} ${names.join(' ')}`) : result;
  };

  return {
    kind,
    docker,
    inspect,

    async status() {
      const containers = await inspect();
      if (!containers.ok) return containers;
      const instances: { name: string; status: ServiceStatus }[] = [];
      for (const container of containers.value) {
        const onPurpose = hasEnded(container) ? await stoppedOnPurpose(docker, container) : false;
        instances.push({ name: container.Name, status: statusOf(container, onPurpose) });
      }
      return success(combineStatus(instances) ?? absentStatus(absent()));
    },

    async start() {
      const containers = await present();
      if (!containers.ok) return containers;
      const paused = containers.value.filter(({ State }) => State.Status === 'paused');
      const ended = containers.value.filter(hasEnded);
      if (paused.length + ended.length === 0)
        return success(`${service.name} was already running or is being restarted by docker`);
      const unpaused = paused.length > 0 ? await act('unpause', ['unpause'], paused) : null;
      if (unpaused && !unpaused.ok) return unpaused;
      return ended.length > 0 ? act('start', ['start'], ended) : (unpaused ?? success(''));
    },

    async stop() {
      const containers = await present();
      return containers.ok ? act('stop', ['stop', '-t', drainSeconds], containers.value) : containers;
    },

    async restart() {
      const containers = await present();
      return containers.ok ? act('restart', ['restart', '-t', drainSeconds], containers.value) : containers;
    },

    async reload() {
      const signal = service.reload_signal;
      if (!signal)
        return failure(
          `${service.name} says no reload_signal: set it to the signal that makes it reload, or restart it`,
        );
      const containers = await present();
      return containers.ok
        ? act(`kill -s ${signal}`, ['kill', '-s', signal.replace('SIG', '')], containers.value)
        : containers;
    },

    async logs(window) {
      if (service.logs.length > 0) return readLogFiles(host, service.logs, window);
      const containers = await present();
      if (!containers.ok) return containers;
      const share = Math.floor((window.maxBytes ?? DEFAULT_LOG_BYTES) / containers.value.length);
      const texts: LogText[] = [];
      for (const { Name } of containers.value) {
        const read = await containerLogs(docker, Name, window, share);
        if (!read.ok) return read;
        texts.push(read.value);
      }
      return success(texts);
    },
  };
}

async function containerLogs(
  docker: DockerCommand,
  name: string,
  window: LogWindow,
  maxBytes: number,
): Promise<Outcome<LogText>> {
  const result = await docker(
    [
      'logs',
      '--timestamps',
      ...(window.since === undefined ? [] : ['--since', seconds(window.since)]),
      ...(window.until === undefined ? [] : ['--until', seconds(window.until)]),
      '--',
      name,
    ],
    { maxBytes },
  );
  if (!result.ok) {
    return /logging driver does not support reading/.test(result.error)
      ? failure(`${result.error}. Name the log files of the service under \`logs:\`.`)
      : result;
  }
  const { stdout, stderr, truncated } = result.value;
  const newest = newestLines(mergeStreams([stdout, stderr]), maxBytes);
  return success({ text: newest.text, source: `docker logs ${name}`, truncated: truncated || newest.truncated });
}

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(3);

const eventSchema = z.object({ Action: z.string() });
/** The stop event comes a few milliseconds after the end; the clock of an event is not the clock of FinishedAt. */
const EVENT_MARGIN_MS = 2000;

/**
 * Whether the end of a container was a `docker stop`. The daemon remembers only its last few hundred events, and health
 * checks use them up fast: where they do not reach back, the restart policy decides, or nothing does.
 */
async function stoppedOnPurpose(docker: DockerCommand, container: Container): Promise<boolean | null> {
  const ended = finishedAt(container);
  if (ended === null) return null;
  const result = await docker([
    'events',
    ...['--since', seconds(ended - EVENT_MARGIN_MS), '--until', '0s', '--format', '{{json .}}'],
    ...['--filter', `container=${container.Id}`, '--filter', 'event=stop', '--filter', 'event=die'],
  ]);
  const actions = result.ok
    ? result.value.stdout.split('\n').flatMap((line) => eventSchema.safeParse(parseJson(line)).data?.Action ?? [])
    : [];
  // A stop ends with die, stop; after an earlier stop and a new start, a mere end is a die alone.
  const last = actions.at(-1);
  return last === undefined ? stoppedByPolicy(container) : last === 'stop';
}
