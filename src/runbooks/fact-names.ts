/** How a fact is compared, for the check at load: a number is never equal to a text. */
type FactType = 'string' | 'double' | 'bool';

/**
 * The facts runbooks may ask for. Durations are milliseconds, sizes bytes, percentages 0 to 100. A fact that could not be
 * measured is absent, and what is asked of it is `unknown`.
 */
export const factNames = {
  service: ['string', 'the suspected service'],
  host: ['string', 'the host it runs on'],
  unit: ['string', 'its name at its manager'],
  kind: ['string', 'what it is: redis, postgres, nginx, node'],
  manager: ['string', 'systemd, docker, compose, supervisor, launchd, pm2 or process'],
  is_machine: ['bool', 'the incident is about a host itself'],
  host_unreachable: ['bool', 'the host does not answer'],

  process_status: ['string', 'running, starting, stopping, paused or dead (stopped, failed or absent)'],
  manager_state: ['string', 'the state as its manager calls it: running, stopped, failed, absent, ...'],
  manager_health: ['string', "the manager's own health verdict: healthy, unhealthy, starting"],
  reloadable: ['bool', 'it can read its configuration again without ending'],
  stopped_on_purpose: ['bool', 'a person stopped it'],
  exit_code: ['double', 'how it ended last'],
  exit_signal: ['string', 'such as SIGKILL; none when it was not ended by a signal'],
  out_of_memory: ['bool', 'it was ended for want of memory'],
  restarts: ['double', 'how often its manager has restarted it'],
  restarts_climbing: ['bool', 'its manager restarts it again and again, as seen now'],
  uptime: ['double', 'how long it has been in its present state'],
  within_start_time: ['bool', 'its time limit for starting or recovering has not passed'],

  failing_checks: ['double', 'how many of its checks fail now'],
  failing_kind: ['string', 'the kinds of its failing checks, sorted, with a blank between'],
  http_status: ['double', 'of its http check'],
  http_reason: ['string', 'how its http check failed: refused, timed-out, status 502'],
  unresponsive: ['bool', 'a check that asks it something (http, redis, postgres, ollama) got no answer in time'],
  tcp_open: ['bool', 'its port accepts connections'],
  latency: ['double', 'of its http, tcp, redis or postgres check'],
  last_heartbeat: ['double', 'the age of its last heartbeat'],
  certificate_days: ['double', 'days until its first certificate ends'],

  memory_usage: ['double', 'percent: its own memory check, or the machine'],
  cpu_usage: ['double', 'percent: its own cpu check, or the machine'],
  machine_memory_usage: ['double', 'percent of its host'],
  heaviest_service: ['string', 'the service on this host that uses the most memory'],
  heaviest_memory: ['double', 'how much that is'],
  disk_usage: ['double', 'percent of the fullest file system that was looked at'],
  own_disk_full: ['bool', 'its directory, logs or files lie where 99 % is in use and less than 1 GB is left'],
  inode_usage: ['double', 'percent of the file system with the fewest free inodes'],
  disk_path: ['string', 'where the fullest file system is mounted'],
  log_size: ['double', 'of its largest log file'],
  log_path: ['string', 'its largest log file'],
  log_over_limit: ['bool', 'that file is larger than `rotate.above`, or its file_size check fails'],
  log_rotatable: ['bool', '`rotate` is set'],
  largest_log: ['string', 'the largest log on this host that may be rotated'],
  largest_log_size: ['double', 'its size'],
  largest_log_service: ['string', 'whose it is'],
  largest_log_on_full_disk: ['bool', 'it stands on the fullest file system that was looked at'],
  clearable: ['bool', '`clear` names directories whose content may be deleted'],

  tcp_port: ['double', 'the port its checks ask'],
  port_taken: ['bool', 'somebody else listens on its port'],
  port_holder: ['string', 'the program that does'],
  port_holder_pid: ['double', 'its process id'],
  port_holder_endable: ['bool', 'it is an older instance of the service, or one of its `strays`'],

  config_changed: ['bool', 'a watched file differs from its last good copy'],
  config_valid: ['bool', 'what `config_test` says'],
  changed_file: ['string', 'the file that changed last'],
  release_changed: ['bool', 'another release was activated in the hour before it failed, or since'],
  current_release: ['string', 'the release in use'],
  previous_release: ['string', 'the newest one before it'],
  previous_release_available: ['bool', 'there is one'],

  recovering: ['bool', 'the database says that it is starting up, loading or in recovery'],
  connection_slots_exhausted: ['bool', 'postgres has no connection slot left'],
  redis_cannot_persist: ['bool', 'redis cannot write its data to disk'],
  dependency_failing: ['string', 'a service it depends on whose checks fail; none'],
  dependency_process_status: ['string', 'process_status of that one'],
  log_error: ['string', 'the most frequent error line of late, with numbers and ids masked'],
} as const satisfies Record<string, readonly [FactType, string]>;

type FactName = keyof typeof factNames;

/** Facts whose names depend on the installation. */
const patterns: readonly { pattern: RegExp; type?: FactType }[] = [
  // Facts a check gives beside its verdict have the types the check gives them.
  { pattern: /^check_[a-z0-9_]+_(verdict|reason)$/, type: 'string' },
  { pattern: /^check_[a-z0-9_]+_value$/, type: 'double' },
  { pattern: /^check_[a-z0-9_]+$/ },
  { pattern: /^(redis|postgres)_[a-z0-9_]+$/ },
  { pattern: /^dependency_[a-z0-9_]+$/ },
  { pattern: /^[a-z0-9_]+_process_status$/, type: 'string' },
  { pattern: /^log_has_[a-z0-9_]+$/, type: 'bool' },
  { pattern: /^tried_[a-z_]+$/, type: 'double' },
];

/** The type of a fact by its name; undefined when it may be any; null when there is no such fact. */
export function factType(name: string): FactType | undefined | null {
  if (isFactName(name)) return factNames[name][0];
  const found = patterns.find((each) => each.pattern.test(name));
  return found ? found.type : null;
}

const isFactName = (name: string): name is FactName => Object.hasOwn(factNames, name);

/** A name as part of a fact's name: `web-1` is `web_1`. */
export const factWord = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]+/g, '_');
