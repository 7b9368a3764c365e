import { expect } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { type Service, serviceSchema } from '../../src/config/schema.ts';
import type { CommandFailure, CommandRequest, Host } from '../../src/hosts/host.ts';
import { createLocalHost } from '../../src/hosts/local.ts';

/** A command that is expected next, by its argv, and what the real program answered when this was recorded. */
export interface Recorded {
  /** The whole command line, words joined by a space. */
  command: string;
  stdout?: string;
  stderr?: string;
  exitCode?: number;
  failure?: CommandFailure;
  privileged?: boolean;
}

/** A host whose commands are answered from a recording, strictly in order; its files are this machine's. */
export interface ScriptedHost extends Host {
  requests: CommandRequest[];
  /** Fails when a recorded command was not run. */
  assertComplete(): void;
}

export function createScriptedHost(script: readonly Recorded[]): ScriptedHost {
  const left = [...script];
  const requests: CommandRequest[] = [];
  return {
    ...createLocalHost(systemClock),
    requests,
    async run(request) {
      requests.push(request);
      const next = left.shift();
      expect(request.argv.join(' ')).toBe(next?.command ?? 'no further command');
      expect(request.privileged ?? false).toBe(next?.privileged ?? false);
      return {
        argv: request.argv,
        exitCode: next?.failure ? null : (next?.exitCode ?? 0),
        signal: null,
        stdout: next?.stdout ?? '',
        stderr: next?.stderr ?? '',
        durationMs: 3,
        truncated: false,
        ...(next?.failure ? { failure: next.failure } : {}),
      };
    },
    assertComplete: () => expect(left.map(({ command }) => command)).toEqual([]),
  };
}

/** A service as the loader would make it. */
export function serviceOf(written: Record<string, unknown> & { manager: string }, name = 'web'): Service {
  const settings = serviceSchema.parse(written);
  const logs = settings.logs === undefined ? [] : [settings.logs].flat();
  return { ...settings, name, unit: settings.unit ?? name, logs, dependsOn: [], checks: [], machine: false };
}
