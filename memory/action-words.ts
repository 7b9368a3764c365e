import { basename } from 'node:path/posix';
import type { Config, Service } from '../src/config/schema.ts';
import type { ProposedAction } from '../src/incidents/incident.ts';

type Inventory = Pick<Config, 'services'>;

/** What people call the acting tools that need only a service. */
const verbs: Record<string, string> = {
  start: 'start_service',
  stop: 'stop_service',
  restart: 'restart_service',
  reload: 'reload_service',
  continue: 'continue_process',
  resume: 'continue_process',
};

/**
 * Understands what a person says helped: `restart cache`, `rotate log of worker`, `restore api.env of api, then restart
 * api`, `run flush on cache`. Null when any part is not understood or names nothing of the inventory: half a fix is none.
 */
export function parseActionWords(words: string, config: Inventory): ProposedAction[] | null {
  const parts = words
    .trim()
    .replace(/^i /i, '')
    .replace(/[.!]+$/, '')
    .split(/\s*(?:[,;]\s*(?:(?:and\s+)?then\s+|and\s+)?|\s(?:and\s+)?then\s+|\sand\s+)/i)
    .map((part) => part.trim());
  const actions = parts.map((part) => parseOne(part, config, words));
  const understood = actions.filter((action) => action !== null);
  return understood.length === parts.length && parts.length > 0 ? understood : null;
}

function parseOne(part: string, config: Inventory, words: string): ProposedAction | null {
  const act = (tool: string, args: Record<string, unknown>): ProposedAction => ({
    tool,
    arguments: args,
    reason: `a person said that this helped: ${words.trim().slice(0, 200)}`,
  });
  const simple = /^(start|stop|restart|reload|continue|resume)(?:ed)?\s+(?:the\s+)?(.+)$/i.exec(part);
  if (simple) {
    const service = named(simple[2], config);
    const tool = verbs[(simple[1] ?? '').toLowerCase()];
    return service && tool ? act(tool, { service: service.name }) : null;
  }
  const rotate = /^rotated?\s+(?:the\s+)?logs?\s+of\s+(.+)$/i.exec(part);
  if (rotate) {
    const service = named(rotate[1], config);
    return service ? act('rotate_log', { service: service.name }) : null;
  }
  const restore = /^restored?\s+(?:the\s+)?(\S+)\s+of\s+(.+)$/i.exec(part);
  if (restore) {
    const service = named(restore[2], config);
    const path = service && watched(restore[1] ?? '', service);
    return service && path ? act('restore_file', { service: service.name, path }) : null;
  }
  const run = /^(?:run|ran)\s+(\S+)\s+on\s+(.+)$/i.exec(part);
  if (run) {
    const service = named(run[2], config);
    const command = run[1] ?? '';
    return service && Object.hasOwn(service.commands ?? {}, command)
      ? act('run_command', { service: service.name, command })
      : null;
  }
  return null;
}

/** A service by its name; pseudo-services of hosts are never acted on. */
function named(text: string | undefined, config: Inventory): Service | null {
  const wanted = (text ?? '')
    .trim()
    .replace(/^service\s+/i, '')
    .replace(/\s+service$/i, '');
  const service =
    config.services.get(wanted) ??
    [...config.services.values()].find((each) => each.name.toLowerCase() === wanted.toLowerCase());
  return service && !service.machine ? service : null;
}

/** A watched file by its path or, where only one is called so, by its name. */
function watched(text: string, service: Service): string | null {
  const files = service.files ?? [];
  if (files.includes(text)) return text;
  const fitting = files.filter((path) => basename(path) === text || path.endsWith(`/${text.replace(/^\.\//, '')}`));
  return fitting.length === 1 ? (fitting[0] ?? null) : null;
}
