import type { ManagerKind } from '../config/schema.ts';
import type { Manager, ManagerContext } from './manager.ts';

type Factory = (context: ManagerContext) => Manager;

/** Each manager is loaded when a service first needs it: most installations use one or two of them. */
const factories: Record<ManagerKind, () => Promise<Factory>> = {
  systemd: async () => (await import('./systemd.ts')).createSystemdManager,
  docker: async () => (await import('./docker.ts')).createDockerManager,
  compose: async () => (await import('./compose.ts')).createComposeManager,
  supervisor: async () => (await import('./supervisor.ts')).createSupervisorManager,
  launchd: async () => (await import('./launchd.ts')).createLaunchdManager,
  pm2: async () => (await import('./pm2.ts')).createPm2Manager,
  process: async () => (await import('./process.ts')).createProcessManager,
};

/** The manager of a service on its host; null for the pseudo-service that stands for a host itself. */
export function createManager(context: ManagerContext): Manager | null {
  const { service } = context;
  if (service.machine) return null;
  let loaded: Promise<Manager> | undefined;
  const manager = (): Promise<Manager> => {
    loaded ??= factories[service.manager]().then((create) => create(context));
    return loaded;
  };
  return {
    kind: service.manager,
    status: async () => (await manager()).status(),
    start: async () => (await manager()).start(),
    stop: async () => (await manager()).stop(),
    restart: async () => (await manager()).restart(),
    reload: async () => (await manager()).reload(),
    logs: async (window) => (await manager()).logs(window),
  };
}
