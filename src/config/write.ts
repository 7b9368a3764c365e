import type { DiscoveredService, Discovery } from './discovery.ts';
import { DISK_LIMITS, MEMORY_LIMITS, serviceInput } from './from-discovery.ts';
import type { CheckInput } from './schema.ts';

const PLAIN = /^[A-Za-z/_][\w./@+-]*(:[\w./@+-]+|:\/\/[\w./@+-]+)*$|^\d+(%|ms|s|m|h)$/;
const WORDS_OF_YAML = /^(null|true|false|yes|no|on|off|y|n)$/i;

/** A text as YAML on one line: as it is where that is safe, else in double quotes with everything strange escaped. */
function quoted(text: string): string {
  if (PLAIN.test(text) && !WORDS_OF_YAML.test(text)) return text;
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A plain value as YAML on one line. */
function inline(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  return `{ ${Object.entries(value)
    .map(([key, each]) => `${inline(key)}: ${inline(each)}`)
    .join(', ')} }`;
}

/** A text from outside as a comment: one line, and nothing a terminal would act on. */
const comment = (text: string): string =>
  `# ${text
    .replace(/[^\x20-\x7e\u00a1-\u1fff\u2010-\u2027\u2030-\ud7ff\uf900-\ufdff]+/g, ' ')
    .trim()
    .slice(0, 200)}`;

const gigabytes = (bytes: number): string => `${Math.round(bytes / 1024 ** 3)} GB`;

function checkLines(check: CheckInput): string[] {
  const entries = Object.entries(check).filter(([, value]) => value !== undefined);
  return entries.map(([key, value], index) => `${index === 0 ? '- ' : '  '}${key}: ${inline(value)}`);
}

function serviceLines(service: DiscoveredService): string[] {
  const { checks = [], ...settings } = serviceInput(service);
  return [
    `${inline(service.name)}:`,
    `  ${comment(`found as ${service.found}`)}`,
    ...Object.entries(settings).map(([key, value]) => `  ${key}: ${inline(value)}`),
    ...service.suggestions.map((line) => `  ${comment(line)}`),
    ...(checks.length === 0 ? [] : ['  checks:', ...checks.flatMap(checkLines).map((line) => `    ${line}`)]),
  ];
}

const machineLines = ({ disks, memory }: Discovery): string[] => [
  'machine:',
  ...(disks.length === 0 ? ['  # disk: { warn: 80%, critical: 90%, path: / }'] : ['  disk:']),
  ...disks.flatMap((disk) => [
    `    ${comment(`${disk.type ?? 'file system'}, ${gigabytes(disk.sizeBytes)}, ${disk.usedPercent} % in use when this was written`)}`,
    `    - ${inline({ path: disk.path, ...DISK_LIMITS })}`,
  ]),
  `  memory: ${inline(MEMORY_LIMITS)}${memory ? `   # of ${gigabytes(memory.totalBytes)}` : ''}`,
  '  # cpu: { warn: 85%, critical: 95% }',
];

const HEAD = `# Written by \`nightshift init\` from what runs on this machine.
# Change what you like: \`nightshift check\` says what is wrong, with line and column,
# and \`nightshift schema\` prints the JSON Schema for your editor.
`;

const MODE = `# observe: only looks and tells. propose: asks before each action. act: acts within its limits.
mode: observe
# How often checks run; a check may set its own.
every: 1m
`;

const MODELS = `# Explains and diagnoses what no runbook knows; tried in this order. All else works without.
# models:
#   - ollama: { model: "qwen3.5:9b", url: "http://127.0.0.1:11434", context: 16k }
#   - anthropic: { model: claude-haiku-5-5, key: env:ANTHROPIC_API_KEY }
`;

const OPTIONS = `# What else a service may say:
#   depends_on: [cache]            one cause, one incident: whose failure explains this one's
#   logs: /var/log/api.log         where its manager does not keep them
#   rotate: { above: 100MB }       its log files may be rotated
#   files: [/etc/api/config.json]  watched for change; good versions kept for restoring
#   hold: 30s                      how long checks must pass before a fix counts
#   note: restarts take a minute   what a colleague should know
# and a check: every, within, fails, name.
`;

const TAIL = `# Known problems of your own, as YAML files.
# runbooks: [./runbooks]

# Who hears of what Nightshift cannot mend itself. The address may be a secret: keep it outside.
# escalate: { webhook: env:NIGHTSHIFT_WEBHOOK }
`;

/** A commented nightshift.yaml of what was discovered. It loads without problems, and it only observes. */
export function renderConfigYaml(discovery: Discovery, options: { name: string }): string {
  const { services, host, notes } = discovery;
  const hosts = host === 'local' ? '' : `\nhosts:\n  ${inline(host)}: ${inline({ ssh: host })}\n`;
  const listed = services
    .flatMap((service) => [...serviceLines(service), ''])
    .map((line) => (line === '' ? '' : `  ${line}`));
  const unseen =
    notes.length === 0 ? [] : ['# Not seen, or left out:', ...notes.map((note) => comment(` ${note}`)), ''];
  const none = [
    '# services:',
    '#   api:',
    '#     manager: systemd',
    '#     checks:',
    '#       - http: http://127.0.0.1:8080/health',
    '',
  ];
  return [
    HEAD,
    `name: ${inline(options.name)}`,
    MODE,
    MODELS + hosts,
    ...machineLines(discovery),
    '',
    OPTIONS,
    ...(services.length === 0 ? none : ['services:', ...listed]),
    ...unseen,
    TAIL,
  ].join('\n');
}
