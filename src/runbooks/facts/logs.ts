import { maskChanging } from '../mask.ts';
import type { FactSource } from './collect.ts';

/** What programs write when something is wrong that their process alone does not show. */
const patterns: Record<string, RegExp> = {
  address_in_use: /EADDRINUSE|address already in use/i,
  no_space: /ENOSPC|no space left on device|disk quota exceeded/i,
  permission: /EACCES|permission denied/i,
  module_missing:
    /cannot find (?:module|package)|ERR_MODULE_NOT_FOUND|ModuleNotFoundError|no module named|ClassNotFoundException|error while loading shared libraries/i,
  oom: /out of memory|OutOfMemoryError|cannot allocate memory|\bENOMEM\b|oom-kill/i,
  too_many_open_files: /EMFILE|ENFILE|too many open files/i,
  connection_refused: /ECONNREFUSED|connection refused/i,
  name_not_found: /EAI_AGAIN|ENOTFOUND|name or service not known|temporary failure in name resolution/i,
  certificate_expired: /certificate has expired|CERT_HAS_EXPIRED|certificate (?:is )?expired/i,
  connection_slots: /remaining connection slots are reserved|too many (?:clients|connections)/i,
  cannot_persist: /MISCONF|background saving error|failed opening the (?:temp )?rdb file/i,
  deadlock: /deadlock (?:detected|found)/i,
  read_only: /EROFS|read-only file system/i,
  config_error:
    /\[emerg\]|syntax error|unknown directive|invalid (?:configuration|parameter|setting|value for)|configuration file .* contains errors/i,
  setting_missing:
    /(?:environment variable|setting|variable) .{0,60}(?:missing|required|not set|undefined)|missing (?:required )?(?:environment|setting|config)/i,
  crash: /unhandled|uncaught|panic:|traceback \(most recent call last\)|segmentation fault/i,
};

const ERROR_LINE = /\b(?:error|err|fatal|emerg|crit(?:ical)?|panic|exception|failed|failure|cannot|refused|denied)\b/i;
const MAX_BYTES = 256 * 1024;
/** The trouble begins before the check that notices it. */
const BEFORE_MS = 120_000;

/** What the log says since shortly before the incident, each find with its line quoted. */
export const logFacts: FactSource = async ({ tools, service, incident }, collect) => {
  const manager = tools.manager(service.name);
  if (!manager) return;
  const slowest = Math.max(0, ...service.checks.map((check) => check.everyMs * check.of));
  const read = await manager.logs({ since: incident.since - Math.max(BEFORE_MS, slowest), maxBytes: MAX_BYTES });
  if (!read.ok) return;
  const lines = read.value.flatMap(({ text, source }) => text.split('\n').map((line) => ({ line, source })));
  const frequent = new Map<string, { count: number; line: string; source: string }>();
  const found = new Map<string, { line: string; source: string }>();
  for (const { line, source } of lines) {
    if (line.length > 8192 || line.trim() === '') continue;
    for (const [name, pattern] of Object.entries(patterns)) if (pattern.test(line)) found.set(name, { line, source });
    if (!ERROR_LINE.test(line)) continue;
    const masked = maskChanging(line);
    frequent.set(masked, { line, source, count: (frequent.get(masked)?.count ?? 0) + 1 });
  }
  for (const name of Object.keys(patterns)) collect.set({ [`log_has_${name}`]: found.has(name) });
  for (const [name, { line, source }] of found)
    collect.quote(`log:${source}`, `logs(${service.name})`, line, [`log_has_${name}`]);
  // As often as another, the first to be read wins: the order of the log decides, not chance.
  const [masked, most] = [...frequent].sort(([, a], [, b]) => b.count - a.count)[0] ?? [];
  collect.set({ log_error: masked });
  if (most) collect.quote(`log:${most.source}`, `logs(${service.name})`, most.line, ['log_error']);
};
