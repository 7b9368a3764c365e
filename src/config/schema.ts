import { z } from 'zod';
import { type CheckConfig, checkSchemas, thresholds } from './checks.ts';
import { duration, secretReference, size } from './units.ts';

export const managerKinds = ['systemd', 'docker', 'compose', 'supervisor', 'launchd', 'pm2', 'process'] as const;
export type ManagerKind = (typeof managerKinds)[number];

/** What Nightshift may do: only look, ask before each action, or act within the guard's limits. */
export const modes = ['observe', 'propose', 'act'] as const;
export type Mode = (typeof modes)[number];

export const risks = ['read', 'reversible', 'disruptive', 'destructive'] as const;
export type Risk = (typeof risks)[number];

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'a name of letters, digits, dots and dashes was expected');
const argv = z.tuple([z.string().min(1)], z.string());
const tokens = z.union(
  [
    z.int().min(1024),
    z
      .string()
      .regex(/^\d+[kK]$/)
      .transform((value) => Number.parseInt(value, 10) * 1024),
  ],
  { error: 'a number of tokens such as 16k (1024 at the least) was expected' },
);

/** The model providers as they are written, by the one key that names them. */
export const modelSchemas = {
  ollama: z.strictObject({
    ollama: z.strictObject({
      model: z.string().min(1),
      url: z.url().default('http://127.0.0.1:11434'),
      context: tokens.default(16_384),
      timeout: duration.optional().describe('the longest one answer may take; default 5m'),
    }),
  }),
  anthropic: z.strictObject({
    anthropic: z.strictObject({
      model: z.string().min(1),
      key: secretReference,
      url: z.url().optional().describe('a gateway that speaks the same API'),
      timeout: duration.optional(),
      max_output: z.int().min(256).default(4096),
    }),
  }),
} as const;

const modelSchema = z.union(Object.values(modelSchemas));

/** A check as written: the one key that names its kind decides which schema it must fit; `explain.ts` goes by that, too. */
const checkSchema = z.union(Object.values(checkSchemas));

export const serviceSchema = z.strictObject({
  host: z.string().default('local').describe('a name under hosts, or local'),
  manager: z.enum(managerKinds).describe('what starts and stops it'),
  unit: z
    .string()
    .optional()
    .describe('its name at its manager (unit, container, program, label); default: the name of the service'),
  user: z.boolean().optional().describe('systemd: a unit of the user, not of the system'),
  compose_file: z.string().optional(),
  supervisor_config: z
    .string()
    .optional()
    .describe('supervisor: the configuration file supervisorctl is given; default: its own search'),
  start: argv.optional().describe('process: the program and its arguments'),
  directory: z.string().optional(),
  environment: z.record(z.string(), z.string()).optional(),
  pid_file: z.string().optional(),
  match: z.string().min(3).optional().describe('process: a text in its command line'),
  reload_signal: z.enum(['SIGHUP', 'SIGUSR1', 'SIGUSR2']).optional().describe('process: reload by this signal'),
  config_test: argv
    .optional()
    .describe('a program that exits 0 when the configuration of the service is valid, such as [nginx, -t]'),
  logs: z
    .union([z.string(), z.array(z.string())], { error: 'a file, or a list of files, was expected' })
    .optional()
    .describe('log files; default: what its manager keeps'),
  rotate: z
    .strictObject({ above: size.optional(), keep: z.int().min(1).max(100).default(3) })
    .optional()
    .describe('its log files may be rotated: above this size (default 100MB), keeping this many old ones'),
  clear: z.array(z.string()).optional().describe('directories whose content may be deleted, such as a cache'),
  strays: z
    .array(z.string().min(3))
    .optional()
    .describe('texts in command lines: a process with one of them may be ended when it holds the port of the service'),
  files: z
    .array(z.string())
    .optional()
    .describe('watched for change; the last three good versions are kept for restoring'),
  releases: z
    .strictObject({ directory: z.string(), current: z.string() })
    .optional()
    .describe('a folder of releases and the link that points at the one in use'),
  depends_on: z.array(z.string()).default([]),
  checks: z.array(checkSchema).default([]),
  drain: duration.default(10_000).describe('how long it gets to end by itself after SIGTERM; default 10s'),
  starts_within: duration
    .default(30_000)
    .describe('how long it may take to start or to recover; until then it is left alone; default 30s'),
  hold: duration.default(30_000).describe('how long its checks must go on passing before a fix counts; default 30s'),
  commands: z
    .record(
      name,
      z.strictObject({
        run: argv,
        risk: z.enum(risks).default('disruptive'),
        within: duration.default(60_000),
        description: z.string().optional(),
        undo: z.string().optional().describe('the name of the command that undoes it, or "none needed"'),
      }),
    )
    .optional()
    .describe('programs a person allows Nightshift to run by name'),
  kind: z.string().optional().describe('what it is: redis, postgres, nginx, node ...; default: guessed'),
  note: z.string().optional().describe('what a colleague should know about it; shown to the model'),
});

export const configSchema = z.strictObject({
  name: z.string().default('home'),
  mode: z.enum(modes).default('observe'),
  every: duration.default(60_000).describe('how often checks run; default 1m'),
  state: z.string().optional().describe('the folder for everything that is kept; default: the platform’s state folder'),
  models: z.array(modelSchema).default([]),
  hosts: z
    .record(
      name,
      z.strictObject({
        ssh: z.string().regex(/^[^-\s][^\s]*$/, 'a name of ~/.ssh/config or user@host was expected'),
        port: z.int().min(1).max(65535).optional(),
      }),
    )
    .default({}),
  machine: z
    .strictObject({
      disk: z
        .union([
          z.strictObject({ ...thresholds, path: z.string().default('/') }),
          z.array(z.strictObject({ ...thresholds, path: z.string() })),
        ])
        .optional(),
      memory: z.strictObject(thresholds).optional(),
      cpu: z.strictObject(thresholds).optional(),
    })
    .optional()
    .describe('the hosts themselves; default: disk / and memory. What is written here is all that is measured'),
  services: z.record(name, serviceSchema).default({}),
  runbooks: z.array(z.string()).default([]),
  limits: z
    .strictObject({
      actions_per_service_per_hour: z.int().min(0).max(100).default(3),
      model_seconds_per_incident: z.int().min(1).default(300),
      model_tokens_per_incident: z.int().min(1000).default(120_000),
      model_steps: z.int().min(1).max(100).default(16),
      checks_at_once: z.int().min(1).max(1000).default(64),
    })
    .prefault({}),
  escalate: z
    .strictObject({
      webhook: z
        .string()
        .optional()
        .describe('a URL, or env:NAME or file:PATH that holds one; gets the incident as JSON'),
    })
    .prefault({}),
});

export type ConfigInput = z.input<typeof configSchema>;
export type ServiceSettings = z.output<typeof serviceSchema>;
export type ModelSettings = z.output<typeof modelSchema>;

/** A service of the inventory after loading: named, its paths absolute, its checks complete. */
export interface Service extends Omit<ServiceSettings, 'checks' | 'logs' | 'depends_on'> {
  name: string;
  /** Its name at its manager. */
  unit: string;
  /** Log files (absolute); empty when its manager keeps the log. */
  logs: string[];
  dependsOn: string[];
  checks: CheckConfig[];
  /** True for the pseudo-service that stands for a host itself (`machine`, `machine@pc`): it is measured, never acted on. */
  machine: boolean;
}

/** nightshift.yaml after loading: checked, completed, every path absolute. */
export interface Config extends Omit<z.output<typeof configSchema>, 'services' | 'machine' | 'state'> {
  /** The file it came from, or null when it was discovered. */
  file: string | null;
  stateFolder: string;
  /** By name, pseudo-services of hosts included. */
  services: Map<string, Service>;
}

/** The name of the pseudo-service that stands for a host. */
export const machineName = (host: string): string => (host === 'local' ? 'machine' : `machine@${host}`);

/** A check as it is written in YAML. */
export type CheckInput = NonNullable<NonNullable<ConfigInput['services']>[string]['checks']>[number];
