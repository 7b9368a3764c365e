import { z } from 'zod';
import { duration, parseDuration, parsePercent, parseSize, percent, secretReference, size } from './units.ts';

/** A threshold: a value beyond `limit` in the direction of `operator` breaches it. */
export interface Limit {
  operator: '>' | '>=' | '<' | '<=' | '==' | '!=';
  value: number;
  /** As it was written, for people. */
  text: string;
}

const LIMIT_EXPECTED = 'a limit such as 90%, 500ms, 2GB, 12 or "< 5" was expected';

/** `90%`, `500ms`, `2GB`, `12`, or with a direction in front: `< 5`. Without one, more is worse. */
export const limit = z
  .union([z.string(), z.number()], { error: LIMIT_EXPECTED })
  .transform((written, context): Limit => {
    const match = /^\s*(>=|<=|==|!=|>|<)?\s*(.+?)\s*$/.exec(String(written));
    const number = match?.[2] ?? '';
    const value =
      number !== '' && Number.isFinite(Number(number))
        ? Number(number)
        : (parsePercent(number) ?? parseDuration(number) ?? parseSize(number));
    if (value === null || value === undefined) {
      context.addIssue({ code: 'custom', message: LIMIT_EXPECTED });
      return z.NEVER;
    }
    return { operator: (match?.[1] as Limit['operator'] | undefined) ?? '>', value, text: String(written) };
  });

const STATUS_EXPECTED = 'a status such as 200, [200, 204] or "200-399" was expected';

const limits = { warn: limit.optional(), critical: limit.optional() };
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** What every check may say beside what it measures. */
const common = {
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a name of letters, digits, dots, dashes was expected')
    .optional()
    .describe('what the check is called; default: its kind'),
  every: duration.optional().describe('how often; default: the top-level every'),
  within: duration.optional().describe('the time limit of one measurement; a slower answer is a failure; default 5s'),
  fails: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe('a verdict changes after this many of the last `of` results; default 2'),
  of: z.int().min(1).max(100).optional().describe('see fails; default: the same number'),
  as: z.enum(['warn', 'critical']).optional().describe('the verdict when it simply fails; default critical'),
};

const address = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, 'HOST:PORT such as 127.0.0.1:6379 was expected');
const command = z.array(z.string()).min(1, 'a program and its arguments were expected, as a list');

/** The checks as they are written: each is an object whose first key names its kind. Add a kind here and in `src/health/checks/`. */
export const checkSchemas = {
  http: z
    .strictObject({
      ...common,
      ...limits,
      http: z.url({ protocol: /^https?$/, error: 'a URL such as http://127.0.0.1:8080/health was expected' }),
      status: z
        .union([z.int(), z.array(z.int()), z.string().regex(/^\d{3}-\d{3}$/, STATUS_EXPECTED)], {
          error: STATUS_EXPECTED,
        })
        .optional()
        .describe('200, [200, 204] or "200-399" (the default)'),
      header: z.record(z.string(), z.string()).optional().describe('header name to a text its value must contain'),
      body: z.string().optional().describe('a text the body must contain'),
      json: z.record(z.string(), scalar).optional().describe('path such as data.status to the value it must have'),
      expires: z
        .strictObject({ warn: duration.optional(), critical: duration.optional() })
        .optional()
        .describe('https only: how long before its end a certificate is a warning (14d) or critical (2d)'),
      insecure: z.boolean().optional().describe('https only: accept a certificate nobody vouches for'),
    })
    .describe('an HTTP endpoint: status, latency (warn, critical), header, body, JSON, certificate'),
  tcp: z.strictObject({ ...common, ...limits, tcp: address }).describe('a port that accepts connections'),
  process: z
    .strictObject({
      ...common,
      process: z
        .union([z.literal('main'), z.strictObject({ match: z.string().min(2) })], {
          error: 'main or { match: "a text in the command line" } was expected',
        })
        .describe('main: the main process of the service; or match: a text in the command line'),
      min: z.int().min(0).optional(),
      max: z.int().min(0).optional(),
    })
    .describe('processes that should exist'),
  unit: z.strictObject({ ...common, unit: z.string().min(1) }).describe('a systemd unit that should be active'),
  container: z
    .strictObject({ ...common, container: z.string().min(1) })
    .describe('a container: its state and its health'),
  disk: z
    .strictObject({
      ...common,
      ...limits,
      disk: z.string().startsWith('/'),
      inodes: z.strictObject(limits).optional().describe('default: the same limits as for space'),
    })
    .describe('space and inodes of the file system that holds a path'),
  memory: z
    .strictObject({ ...common, ...limits, memory: z.enum(['machine', 'service']) })
    .describe('memory in use: percent of the machine, or of one service in percent or bytes'),
  cpu: z
    .strictObject({ ...common, ...limits, cpu: z.enum(['machine', 'service', 'load']) })
    .describe('percent of all cores, of one service in percent of one core, or load per core'),
  redis: z
    .strictObject({
      ...common,
      ...limits,
      redis: z.string().regex(/^rediss?:\/\//, 'a URL such as redis://127.0.0.1:6379 was expected'),
      password: secretReference.optional(),
      info: z
        .record(z.string(), z.union([z.string(), z.number()]))
        .optional()
        .describe('INFO field to a value or a limit such as "< 2GB"'),
    })
    .describe('PING, its latency (warn, critical), and INFO fields'),
  postgres: z
    .strictObject({
      ...common,
      ...limits,
      postgres: z.string().regex(/^postgres(ql)?:\/\//, 'a URL such as postgres://app@127.0.0.1/app was expected'),
      password: secretReference.optional(),
      query: z.string().optional().describe('one row, one number'),
    })
    .describe('accepts connections; a query whose value is held against warn and critical'),
  ollama: z
    .strictObject({
      ...common,
      ollama: z.url(),
      models: z.array(z.string()).optional().describe('models that must be there'),
      loaded: z.boolean().optional().describe('they must be in memory, too'),
    })
    .describe('an Ollama server and its models'),
  certificate: z
    .strictObject({
      ...common,
      certificate: z.string().min(1).describe('a file, or HOST:PORT'),
      server_name: z.string().optional(),
      warn: duration.optional().describe('default 14d'),
      critical: duration.optional().describe('default 2d'),
    })
    .describe('the end date of a certificate'),
  command: z
    .strictObject({
      ...common,
      ...limits,
      command,
      exit_code: z.int().optional().describe('default 0'),
    })
    .describe('a program: its exit code, or with warn or critical the number it prints'),
  heartbeat: z
    .strictObject({
      ...common,
      heartbeat: z.string().min(1).describe('a file, or a name that `nightshift ping NAME` reports'),
      warn: duration.optional(),
      critical: duration.optional().describe('the oldest it may be; default 1h'),
    })
    .describe('something that must happen regularly'),
  log_rate: z
    .strictObject({
      ...common,
      ...limits,
      log_rate: z.string().min(1).describe('a regular expression'),
      file: z.string().optional().describe('default: the logs of the service'),
    })
    .describe('matching log lines per minute since the last measurement'),
  prometheus: z
    .strictObject({ ...common, ...limits, prometheus: z.url(), query: z.string().min(1) })
    .describe('the value of a Prometheus query'),
  metric: z
    .strictObject({
      ...common,
      ...limits,
      metric: z.union(
        [
          z.strictObject({ command }),
          z.strictObject({ url: z.url(), json: z.string() }),
          z.strictObject({ check: z.string().describe('SERVICE/CHECK') }),
        ],
        {
          error:
            'one of { check: SERVICE/CHECK }, { command: [program, argument] } or { url: URL, json: PATH } was expected',
        },
      ),
      change: z
        .strictObject({ over: duration, warn: limit.optional(), critical: limit.optional() })
        .optional()
        .describe('against its own past: { over: 1h, critical: "< -20%" } is a drop of more than 20 % within an hour'),
      unit: z.string().optional(),
    })
    .describe('any number, against a limit or against its own past'),
  file_size: z
    .strictObject({ ...common, file_size: z.string().min(1), warn: size.optional(), critical: size.optional() })
    .describe('a file, such as a log, that must not grow past a size'),
} as const;

export type CheckKind = keyof typeof checkSchemas;

export const checkKinds = Object.keys(checkSchemas) as readonly CheckKind[];

/** One check as written in the configuration, by kind. */
export type CheckOf<Kind extends CheckKind> = z.output<(typeof checkSchemas)[Kind]>;
export type CheckSettings = { [Kind in CheckKind]: CheckOf<Kind> }[CheckKind];

/** A check after loading: everything that had a default is filled in. */
export interface CheckConfig<Kind extends CheckKind = CheckKind> {
  /** Unique: SERVICE/NAME. */
  key: string;
  name: string;
  service: string;
  kind: Kind;
  everyMs: number;
  withinMs: number;
  fails: number;
  of: number;
  as: 'warn' | 'critical';
  settings: CheckOf<Kind>;
}

export const thresholds = { warn: percent.optional(), critical: percent.optional() };
