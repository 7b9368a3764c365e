import { failure, success } from '../../../src/base/outcome.ts';
import type { CommandResult, Host } from '../../../src/hosts/host.ts';

interface Script {
  name?: string;
  platform?: 'linux' | 'darwin';
  /** Output by the beginning of the command line; what is not here is not installed. */
  commands?: Record<string, string | { stdout?: string; stderr?: string; exitCode: number }>;
  files?: Record<string, string>;
  /** Where links point. */
  links?: Record<string, string>;
  /** Ports of the host that lead to real ports of this machine. */
  ports?: Record<number, number>;
}

/** A host whose programs say what was recorded. Whatever would change it throws. */
export function scriptedHost(script: Script): Host & { asked: string[] } {
  const asked: string[] = [];
  const never = () => {
    throw new Error('discovery changes nothing');
  };
  return {
    asked,
    name: script.name ?? 'local',
    kind: 'local',
    platform: async () => script.platform ?? 'linux',
    async run({ argv }): Promise<CommandResult> {
      const line = argv.join(' ');
      asked.push(line);
      const key = Object.keys(script.commands ?? {}).find((each) => line.startsWith(each));
      const said = key === undefined ? undefined : script.commands?.[key];
      const base = { argv, signal: null, stdout: '', stderr: '', durationMs: 1, truncated: false };
      if (said === undefined) return { ...base, exitCode: null, failure: 'not-found' };
      return typeof said === 'string' ? { ...base, exitCode: 0, stdout: said } : { ...base, ...said };
    },
    async readFile(path) {
      const text = script.files?.[path];
      return text === undefined
        ? failure(`no ${path}`)
        : success({ text, sizeBytes: text.length, from: 0, truncated: false });
    },
    async fileFacts(path) {
      const target = script.links?.[path];
      const facts = { path, sizeBytes: 0, modifiedAt: 0, mode: 0, owner: 0, group: 0, inode: 0 };
      return success(target === undefined ? null : { ...facts, kind: 'link' as const, target });
    },
    async reach(_, port) {
      const real = script.ports?.[port];
      if (real === undefined) return failure('refused');
      return success({ address: '127.0.0.1', port: real, [Symbol.asyncDispose]: async () => undefined });
    },
    start: never,
    endOf: () => null,
    readBytes: never,
    writeFile: never,
    list: never,
    rename: never,
    remove: never,
    relink: never,
  };
}
