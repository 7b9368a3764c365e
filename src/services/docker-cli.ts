import { failure, type Outcome, success } from '../base/outcome.ts';
import { type Argv, type CommandResult, succeeded } from '../hosts/host.ts';
import type { ManagerContext } from './manager.ts';
import { lastLines } from './said.ts';

/** Runs one docker command; the failure says what docker said and what to do about it. */
export type DockerCommand = (
  args: readonly string[],
  options?: { timeoutMs?: number; maxBytes?: number; program?: 'docker' | 'docker-compose' },
) => Promise<Outcome<CommandResult>>;

/** What the docker client looks for in its environment. */
const DOCKER_VARIABLE = /^(DOCKER_|COMPOSE_)/;

/**
 * The docker client of the service's host. `DOCKER_HOST` and its kin may stand in the service's `environment`. When this
 * user may not use the daemon's socket, it is tried once more as root by `sudo -n`.
 */
export function createDockerCommand({ service, host }: ManagerContext): DockerCommand {
  const environment = Object.fromEntries(
    Object.entries(service.environment ?? {}).filter(([name]) => DOCKER_VARIABLE.test(name)),
  );
  let privileged = false;
  return async (args, { program = 'docker', ...limits } = {}) => {
    const argv: Argv = [program, ...args];
    const run = () => host.run({ argv, environment, privileged, ...limits });
    let result = await run();
    if (!privileged && mayNotUseSocket(result)) {
      privileged = true;
      result = await run();
      if (!succeeded(result) && result.failure === 'not-permitted') {
        privileged = false;
        return failure(socketRefused(argv, host.name));
      }
    }
    return succeeded(result) ? success(result) : failure(explain(result, host.name));
  };
}

const mayNotUseSocket = (result: CommandResult): boolean =>
  /permission denied/i.test(result.stderr) && /docker daemon|docker\.sock|docker API/i.test(result.stderr);

const socketRefused = (argv: Argv, host: string): string =>
  `\`${argv.slice(0, 2).join(' ')}\` on ${host}: this user may not use the socket of the Docker daemon. ` +
  'Add the user to the group docker (`sudo usermod -aG docker USER`, then log in again; it amounts to root), ' +
  'or allow docker by sudo: `nightshift doctor` prints the line.';

/** A command line for people: without the template of `--format`, which is long and ours. */
const shown = (argv: Argv): string =>
  argv.filter((word, index) => word !== '--' && word !== '--format' && argv[index - 1] !== '--format').join(' ');

/** Why a docker command failed, on one line, with what to do next. */
function explain(result: CommandResult, host: string): string {
  const said = lastLines(result.stderr) || lastLines(result.stdout);
  const tried = `\`${shown(result.argv)}\` on ${host}`;
  if (result.failure === 'not-found')
    return `${tried}: ${result.argv[0]} is not installed there or not on the PATH. Install it, or name another manager.`;
  if (result.failure === 'timed-out')
    return `${tried}: no answer within ${Math.round(result.durationMs / 1000)} s. The Docker daemon may hang: see \`journalctl -u docker\`.`;
  if (/cannot connect to the docker daemon|is the docker daemon running|error during connect/i.test(said))
    return `${tried}: the Docker daemon does not answer (${said}). Start it: \`sudo systemctl start docker\`.`;
  if (result.failure !== undefined) return `${tried}: ${result.failure}${said ? `: ${said}` : ''}`;
  return `${tried}: exit code ${result.exitCode}: ${said || 'no message'}`;
}

/** True when the error says that there is no such container. */
export const noSuchContainer = (error: string): boolean => /no such (container|object)/i.test(error);
