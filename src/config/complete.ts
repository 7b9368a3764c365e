import { dirname } from 'node:path';
import type { z } from 'zod';
import { checkNames } from './check-names.ts';
import type { CheckConfig, CheckKind, CheckSettings } from './checks.ts';
import { guessKind } from './kind.ts';
import { machineService } from './machine.ts';
import { absolutePath, type ConfigOptions, defaultStateFolder } from './paths.ts';
import { kindOf } from './rules/inventory.ts';
import type { Config, configSchema, Service, ServiceSettings } from './schema.ts';

const WITHIN_MS = 5000;
const FAILS = 2;

type CheckedConfig = z.output<typeof configSchema>;

interface CompleteOptions extends ConfigOptions {
  /** The file it came from; null when it was discovered. */
  file: string | null;
  /** What relative paths are relative to. Default: the folder of the file, else the home folder. */
  directory?: string;
}

/** Makes a path of a host absolute, as far as that can be done from here. */
type Place = (path: string) => string;

const isAddress = (text: string): boolean => /^(\[[0-9a-fA-F:]+\]|[^/\s:]+):\d{1,5}$/.test(text);

function placeSettings(kind: CheckKind, settings: CheckSettings, place: Place): CheckSettings {
  if (kind === 'file_size' && 'file_size' in settings) return { ...settings, file_size: place(settings.file_size) };
  if (kind === 'log_rate' && 'log_rate' in settings && settings.file !== undefined)
    return { ...settings, file: place(settings.file) };
  if (kind === 'certificate' && 'certificate' in settings && !isAddress(settings.certificate))
    return { ...settings, certificate: place(settings.certificate) };
  // A heartbeat without a slash is a name that `nightshift ping` reports, not a file.
  if (kind === 'heartbeat' && 'heartbeat' in settings && /[/~]/.test(settings.heartbeat))
    return { ...settings, heartbeat: place(settings.heartbeat) };
  return settings;
}

function completeChecks(
  service: string,
  written: readonly CheckSettings[],
  everyMs: number,
  place: Place,
): CheckConfig[] {
  const kinds = written.map((settings) => kindOf(settings));
  const named = written.flatMap((settings, index) => {
    const kind = kinds[index];
    return kind ? [{ kind, name: settings.name ?? null, settings }] : [];
  });
  const names = checkNames(named);
  return named.map(({ kind, settings }, index): CheckConfig => {
    const name = names[index] ?? kind;
    const fails = settings.fails ?? Math.min(FAILS, settings.of ?? FAILS);
    return {
      key: `${service}/${name}`,
      name,
      service,
      kind,
      everyMs: settings.every ?? everyMs,
      withinMs: settings.within ?? WITHIN_MS,
      fails,
      of: settings.of ?? fails,
      as: settings.as ?? 'critical',
      settings: placeSettings(kind, settings, place),
    };
  });
}

function completeService(name: string, written: ServiceSettings, everyMs: number, onThisMachine: Place): Service {
  const place: Place = written.host === 'local' ? onThisMachine : (path) => path;
  const { checks: writtenChecks, logs, depends_on, ...rest } = written;
  const checks = completeChecks(name, writtenChecks, everyMs, place);
  const unit = written.unit ?? name;
  const kind = written.kind ?? guessKind({ ...written, name, unit, checks });
  return {
    ...rest,
    name,
    unit,
    checks,
    logs: (logs === undefined ? [] : [logs].flat()).map(place),
    dependsOn: [...new Set(depends_on)],
    machine: false,
    ...(kind === undefined ? {} : { kind }),
    ...(rest.directory === undefined ? {} : { directory: place(rest.directory) }),
    ...(rest.compose_file === undefined ? {} : { compose_file: place(rest.compose_file) }),
    ...(rest.supervisor_config === undefined ? {} : { supervisor_config: place(rest.supervisor_config) }),
    ...(rest.pid_file === undefined ? {} : { pid_file: place(rest.pid_file) }),
    ...(rest.files === undefined ? {} : { files: rest.files.map(place) }),
    ...(rest.clear === undefined ? {} : { clear: rest.clear.map(place) }),
    ...(rest.releases === undefined
      ? {}
      : { releases: { directory: place(rest.releases.directory), current: place(rest.releases.current) } }),
  };
}

/** Fills in everything that was left out of a configuration whose form is right: paths, defaults, the machines themselves. */
export function completeConfig(checked: CheckedConfig, options: CompleteOptions): Config {
  const { home, file } = options;
  const folder = options.directory ?? (file === null ? home : dirname(file));
  const place: Place = (path) => absolutePath(path, folder, home);
  const { services: written, machine, state, ...rest } = checked;
  const services = new Map<string, Service>();
  const hosts = new Set(['local', ...Object.values(written).map((service) => service.host)]);
  for (const host of hosts) {
    const service = machineService(host, machine, checked.every);
    services.set(service.name, service);
  }
  for (const [name, service] of Object.entries(written))
    services.set(name, completeService(name, service, checked.every, place));
  return {
    ...rest,
    file,
    stateFolder: state === undefined ? defaultStateFolder(options) : place(state),
    runbooks: checked.runbooks.map(place),
    services,
  };
}
