import { success } from '../base/outcome.ts';
import { manageContainers } from './containers.ts';
import type { Manager, ManagerContext } from './manager.ts';

/**
 * A container by its name or id. `docker stop` sends the container's own stop signal (SIGTERM unless its image says
 * otherwise) and SIGKILL after the drain time of the service. A paused container is unpaused by `start`.
 */
export function createDockerManager(context: ManagerContext): Manager {
  const { service, host } = context;
  return manageContainers(
    context,
    'docker',
    async () => success([service.unit]),
    () => `no container named ${service.unit} on ${host.name}: see \`docker ps -a\`, and make it with \`docker run\``,
  );
}
