import type { Tool, ToolScope } from '../../tools/tool.ts';
import type { Config, Service } from '../config/schema.ts';
import type { Incident } from '../incidents/incident.ts';

/** A small model chooses badly among many tools. */
const MOST = 12;

/** What is worth offering when a thing of this kind is in the group. In the order in which it is offered. */
const WHEN: [tool: string, wanted: (service: Service, checks: string) => boolean][] = [
  ['service_status', () => true],
  ['read_logs', () => true],
  ['recent_changes', () => true],
  ['redis_state', (service) => service.kind === 'redis'],
  ['postgres_state', (service) => service.kind === 'postgres'],
  ['list_ports', () => true],
  ['restart_service', (service) => !service.machine],
  ['start_service', (service) => !service.machine],
  ['restore_file', (service) => (service.files?.length ?? 0) > 0],
  ['activate_release', (service) => service.releases !== undefined],
  ['rotate_log', (service) => service.rotate !== undefined],
  ['run_command', (service) => Object.keys(service.commands ?? {}).length > 0],
  ['disk_usage', (_service, checks) => /disk|space|inode|unknown|exit|log|write|http 5|status-5/i.test(checks)],
  ['memory_usage', (_service, checks) => /memory|oom|signal|kill/i.test(checks)],
  ['certificate_info', (_service, checks) => /tls|certificate|expire/i.test(checks)],
  ['end_idle_sessions', (service) => service.kind === 'postgres'],
  ['probe_endpoint', () => true],
  ['list_processes', () => true],
  ['continue_process', (_service, checks) => /timed-out|paused/i.test(checks)],
  ['reload_service', (service) => service.config_test !== undefined || service.reload_signal !== undefined],
  ['clear_directory', (service) => (service.clear?.length ?? 0) > 0],
  ['open_files', () => true],
  ['disk_usage', () => true],
  ['memory_usage', () => true],
  ['kernel_messages', () => true],
];

/** At most a dozen tools for one incident, by what is in its group and how its checks fail. */
export function chooseTools(
  tools: readonly Tool[],
  config: Config,
  scope: ToolScope,
  incident: Pick<Incident, 'checks'>,
): Tool[] {
  const services = scope.services.flatMap((name) => config.services.get(name) ?? []);
  const checks = Object.values(incident.checks)
    .map((result) => `${result.check} ${result.reason ?? ''} ${result.summary}`)
    .join(' ');
  const chosen = new Map<string, Tool>();
  for (const [name, wanted] of WHEN) {
    const tool = tools.find((each) => each.name === name);
    if (!tool || chosen.has(name) || chosen.size >= MOST) continue;
    if (services.some((service) => wanted(service, checks))) chosen.set(name, tool);
  }
  return [...chosen.values()];
}

/** The inventory in a few lines, for a prompt: who runs where, under what, needing what. */
export function describeInventory(config: Config, services: readonly string[]): string {
  return services
    .flatMap((name) => config.services.get(name) ?? [])
    .filter((service) => !service.machine)
    .map((service) => {
      const parts = [
        `${service.kind ?? 'a service'} under ${service.manager}${service.host === 'local' ? '' : ` on host ${service.host}`}`,
        service.dependsOn.length > 0 ? `needs ${service.dependsOn.join(', ')}` : '',
        `checks: ${service.checks.map((check) => check.name).join(', ') || 'none'}`,
        service.note ?? '',
      ];
      return `- ${service.name}: ${parts.filter(Boolean).join('; ')}`;
    })
    .join('\n');
}
