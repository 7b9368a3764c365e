import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { z } from 'zod';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import type { CheckResult } from '../../src/health/check.ts';
import type { CommandRequest, CommandResult, Host } from '../../src/hosts/host.ts';
import { createLocalHost } from '../../src/hosts/local.ts';
import type { Incident } from '../../src/incidents/incident.ts';
import { createManager } from '../../src/services/create.ts';
import type { Manager } from '../../src/services/manager.ts';
import { createHandles } from '../../tools/shared/handles.ts';
import type { GoodCopies, Tool, ToolContext, ToolScope } from '../../tools/tool.ts';

/** A folder of its own that is gone after the test; a real path, so that links in it are the test's own. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'nightshift-tools-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** A real Node process with this code, ended after the test; resolves once it has written its first byte. */
export async function startProgram(code: string, ...args: string[]): Promise<number> {
  const child = spawn(process.execPath, ['-e', code, '--', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  if (child.pid === undefined) throw new Error('not started');
  return child.pid;
}

/** Listens on the port given as its last argument and says so. */
export const LISTENER = `require('node:http').createServer((request, response) => response.end('fine')).listen(Number(process.argv.at(-1)), '127.0.0.1', () => console.log('up'))`;

/** Good copies held in memory, newest first. */
export function copiesOf(files: Record<string, { at: number; content: string }[]>): GoodCopies {
  const bytes = new Map<string, Uint8Array>();
  return {
    list: (service, path) =>
      (files[path] ?? []).map(({ at, content }, index) => {
        const id = `${service} ${path} ${index}`;
        bytes.set(id, Buffer.from(content));
        return { id, at, sha256: createHash('sha256').update(content).digest('hex'), sizeBytes: content.length };
      }),
    read(id) {
      const found = bytes.get(id);
      if (!found) throw new Error(`no copy ${id}`);
      return found;
    },
  };
}

interface WorldOptions {
  /** The `services:` of a nightshift.yaml, as YAML. `DIR` stands for the folder. */
  services: string;
  scope?: Partial<ToolScope>;
  clock?: Clock;
  host?: Host;
  copies?: GoodCopies;
  results?: CheckResult[];
  incidents?: Incident[];
  manager?: (service: string) => Manager | null;
  folder?: string;
  condense?: ToolContext['condense'];
}

/** A real configuration, a real host and real managers, put together as the application would. */
export function world(options: WorldOptions): { context: ToolContext; config: Config; folder: string } {
  const folder = options.folder ?? temporaryFolder();
  const file = join(folder, 'nightshift.yaml');
  writeFileSync(file, `state: ${folder}/state\nservices:\n${options.services.replaceAll('DIR', folder)}`);
  const loaded = loadConfig(file, { environment: {}, home: folder, platform: process.platform });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const { config } = loaded;
  const clock = options.clock ?? systemClock;
  const host = options.host ?? createLocalHost(clock);
  const service = (name: string) => {
    const found = config.services.get(name);
    if (!found) throw new Error(`no service ${name}`);
    return found;
  };
  const managers = new Map<string, Manager | null>();
  const scope = {
    services: options.scope?.services ?? [...config.services.keys()],
    hosts: options.scope?.hosts ?? ['local'],
  };
  const context: ToolContext = {
    config,
    scope,
    clock,
    host: () => host,
    service,
    manager: (name) => {
      if (options.manager) return options.manager(name);
      if (!managers.has(name)) managers.set(name, createManager({ service: service(name), host, clock }));
      return managers.get(name) ?? null;
    },
    measure: async (name) => (options.results ?? []).filter((result) => result.service === name),
    latest: (name) => (options.results ?? []).filter((result) => result.service === name),
    archive: {
      recent: ({ service: of, limit }) =>
        (options.incidents ?? []).filter((each) => of === undefined || each.service === of).slice(0, limit),
      timeline: () => [],
      actions: () => [],
    },
    goodCopies: options.copies ?? copiesOf({}),
    handles: createHandles(clock),
    secret: (reference) => readFileSync(reference.replace(/^file:/, ''), 'utf8').trim(),
    ...(options.condense ? { condense: options.condense } : {}),
    signal: new AbortController().signal,
  };
  return { context, config, folder };
}

/** Calls a tool the way everybody must: arguments through its schema, details through its own. */
export async function call<Details>(
  tool: Tool<z.ZodObject, Details>,
  args: Record<string, unknown>,
  context: ToolContext,
) {
  const result = await tool.run(tool.input(context.scope, context.config).parse(args), context);
  return { ok: result.ok, content: result.content, details: tool.output.parse(result.details) };
}

export async function plan(tool: Tool, args: Record<string, unknown>, context: ToolContext) {
  const planned = await tool.plan?.(tool.input(context.scope, context.config).parse(args), context);
  if (planned === undefined) throw new Error(`${tool.name} has no plan`);
  return planned;
}

/** A host that is another platform and answers commands from a recording; what was not recorded is not installed. */
export function recordedHost(platform: 'linux' | 'darwin', outputs: Record<string, string>, real?: Host): Host {
  // Far away, so that nothing falls back to the /proc of this machine.
  const base: Host = { ...(real ?? createLocalHost(systemClock)), kind: 'ssh' };
  const run = async ({ argv }: CommandRequest): Promise<CommandResult> => {
    const line = argv.join(' ');
    const key = Object.keys(outputs).find((each) => line.startsWith(each));
    const common = { argv, signal: null, stderr: '', durationMs: 1, truncated: false };
    return key === undefined
      ? { ...common, exitCode: null, stdout: '', failure: 'not-found' }
      : { ...common, exitCode: 0, stdout: outputs[key] ?? '' };
  };
  return { ...base, platform: async () => platform, run };
}
