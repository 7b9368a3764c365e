import { dirname, resolve } from 'node:path/posix';
import { failure, type Outcome, success } from '../base/outcome.ts';
import { type Containers, manageContainers } from './containers.ts';
import type { DockerCommand } from './docker-cli.ts';
import type { Manager, ManagerContext } from './manager.ts';

const LABEL = 'com.docker.compose';
const COLUMNS = ['.ID', ...['project', 'project.config_files', 'project.working_dir', 'oneoff'].map(labelColumn)];
/** `up` may have to create networks and volumes first. */
const UP_TIMEOUT_MS = 120_000;
const ACTION_GRACE_MS = 20_000;

function labelColumn(name: string): string {
  return `.Label "${LABEL}.${name}"`;
}

interface Found {
  id: string;
  project: string;
  files: string[];
}

/** A service of a compose file, and of one project when its unit is written `PROJECT/SERVICE`. */
function composeName(unit: string): { project: string | null; name: string } {
  const [first = '', second] = unit.split('/', 2);
  return second === undefined ? { project: null, name: first } : { project: first, name: second };
}

/**
 * A compose service: its containers are found by their labels, whichever compose made them. With a `compose_file` and
 * compose there (the docker plugin, or docker-compose), it is compose that starts, stops and restarts, and that creates
 * containers that are missing; without, the labelled containers themselves are started and stopped.
 */
export function createComposeManager(context: ManagerContext): Manager {
  const { service, host } = context;
  const { project: wantedProject, name } = composeName(service.unit);
  const file = service.compose_file;
  let project = wantedProject;

  const find = async (): Promise<Outcome<string[]>> => {
    const found = await findContainers(containers.docker, name);
    if (!found.ok) return found;
    const ours = found.value.filter(
      (each) => (file === undefined || each.files.includes(file)) && (wantedProject ?? each.project) === each.project,
    );
    const projects = [...new Set(ours.map((each) => each.project))];
    if (projects.length > 1)
      return failure(
        `${service.name}: the compose service ${name} is in several projects on ${host.name} (${projects.join(', ')}). ` +
          `Say which: compose_file, or unit: ${projects[0]}/${name}.`,
      );
    project = projects[0] ?? wantedProject;
    return success(ours.map(({ id }) => id));
  };

  const absent = () =>
    file === undefined
      ? `no container of the compose service ${service.unit} on ${host.name}: set compose_file so that it can be created`
      : `no container of the compose service ${name} of ${file} on ${host.name}: \`docker compose -f ${file} up -d ${name}\` creates it`;
  const containers: Containers = manageContainers(context, 'compose', find, absent);
  const compose = createCompose(containers.docker);

  /** Runs compose where there is one and a file for it; null where there is not. */
  const throughCompose = async (args: readonly string[], timeoutMs: number): Promise<Outcome<string> | null> => {
    const run = file === undefined ? null : await compose();
    if (!run || file === undefined) return null;
    const result = await run(['-f', file, ...(project ? ['-p', project] : []), ...args, name], timeoutMs);
    return result.ok ? success(`docker compose ${args.join(' ')} ${name}`) : result;
  };
  const drain = String(Math.ceil(service.drain / 1000));
  const actionMs = service.drain + ACTION_GRACE_MS;

  return {
    ...containers,
    async start() {
      const present = await containers.inspect();
      if (!present.ok) return present;
      if (present.value.length > 0) return containers.start();
      return (
        (await throughCompose(['up', '-d', '--no-deps', '--no-build'], UP_TIMEOUT_MS)) ??
        failure(
          `${service.name}: ${absent()}${file === undefined ? '' : `, but there is no compose on ${host.name}: install docker-compose-plugin`}`,
        )
      );
    },
    async stop() {
      const present = await containers.inspect();
      if (!present.ok || present.value.length === 0) return containers.stop();
      return (await throughCompose(['stop', '-t', drain], actionMs)) ?? containers.stop();
    },
    async restart() {
      const present = await containers.inspect();
      if (!present.ok) return present;
      if (present.value.length === 0) return this.start();
      return (await throughCompose(['restart', '-t', drain], actionMs)) ?? containers.restart();
    },
  };
}

async function findContainers(docker: DockerCommand, name: string): Promise<Outcome<Found[]>> {
  const format = COLUMNS.map((column) => `{{${column}}}`).join('\t');
  const filter = ['--filter', `label=${LABEL}.service=${name}`];
  const result = await docker(['ps', '--all', '--no-trunc', ...filter, '--format', format]);
  if (!result.ok) return result;
  const found: Found[] = [];
  for (const line of result.value.stdout.split('\n').filter(Boolean)) {
    const [id = '', project = '', files = '', directory = '', oneOff = ''] = line.split('\t');
    // `compose run` makes one-off containers under the same service.
    if (oneOff === 'True') continue;
    found.push({ id, project, files: configFiles(files, directory) });
  }
  return success(found);
}

/** Compose writes its files separated by commas; the first versions wrote them relative to the project's directory. */
const configFiles = (files: string, directory: string): string[] =>
  files
    .split(',')
    .filter(Boolean)
    .map((file) => resolve(directory || dirname(file), file));

type RunCompose = (args: readonly string[], timeoutMs: number) => Promise<Outcome<unknown>>;

/** Which compose there is: looked for once, the plugin first. */
function createCompose(docker: DockerCommand): () => Promise<RunCompose | null> {
  let known: RunCompose | null | undefined;
  return async () => {
    if (known !== undefined) return known;
    const plugin: RunCompose = (args, timeoutMs) => docker(['compose', ...args], { timeoutMs });
    const binary: RunCompose = (args, timeoutMs) => docker(args, { timeoutMs, program: 'docker-compose' });
    if ((await docker(['compose', 'version'])).ok) known = plugin;
    else known = (await docker(['version'], { program: 'docker-compose' })).ok ? binary : null;
    return known;
  };
}
