import type { Tool, ToolScope } from '../../tools/tool.ts';
import type { Config } from '../config/schema.ts';
import type { Incident } from '../incidents/incident.ts';

/** A small model chooses badly among many tools. */
const MOST = 12;

/**
 * What is worth offering, best first: always, or when the failing checks or the question speak of it. Whether a tool has
 * anything to work on here it says itself (`applies`).
 */
const OFFERS: readonly [tool: string, when?: RegExp][] = [
  ['service_status'],
  ['read_logs'],
  ['recent_changes'],
  ['redis_state'],
  ['postgres_state'],
  ['incident_history', /before|earlier|yesterday|last|history|happened|again|why was|when/i],
  ['restart_service'],
  ['start_service'],
  ['restore_file'],
  ['activate_release'],
  ['rotate_log'],
  ['run_command'],
  ['disk_usage', /disk|space|inode|unknown|exit|log|write|full|http 5|status-5/i],
  ['memory_usage', /memory|oom|signal|kill|slow/i],
  ['cpu_usage', /cpu|load|slow|busy/i],
  ['certificate_info', /tls|certificate|expire|https/i],
  ['dns_lookup', /dns|resolve|EAI_AGAIN|ENOTFOUND/i],
  ['service_files', /denied|EACCES|EPERM|permission|5\d\d/i],
  ['end_process', /EADDRINUSE|in use|port/i],
  ['list_ports'],
  ['end_idle_sessions'],
  ['probe_endpoint'],
  ['list_processes'],
  ['continue_process', /timed-out|paused/i],
  ['reload_service'],
  ['clear_directory', /disk|space|inode|full|5\d\d/i],
  ['disk_usage'],
  ['memory_usage'],
  ['open_files'],
  ['service_files'],
  ['incident_history'],
  ['kernel_messages'],
];

/** At most a dozen tools, by what is in the scope and by the words of the failing checks or of the question. */
export function chooseTools(tools: readonly Tool[], config: Config, scope: ToolScope, words: string): Tool[] {
  const chosen = new Map<string, Tool>();
  for (const [name, when] of OFFERS) {
    const tool = tools.find((each) => each.name === name);
    if (!tool || chosen.size >= MOST || tool.applies?.(scope, config) === false) continue;
    if (when === undefined || when.test(words)) chosen.set(name, tool);
  }
  return [...chosen.values()];
}

/** How an incident's checks fail, in words to choose tools by. */
export const wordsOf = (incident: Pick<Incident, 'checks'>): string =>
  Object.values(incident.checks)
    .map((result) => `${result.check} ${result.reason ?? ''} ${result.summary}`)
    .join(' ');

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
