import type { Clock } from '../base/clock.ts';
import { success } from '../base/outcome.ts';
import { commandEnvironment } from './environment.ts';
import type { CommandRequest, CommandResult, Host } from './host.ts';
import { localFiles } from './local-files.ts';
import { createStarter } from './local-start.ts';
import { privilegeAdvice, sudoFailure, throughSudo } from './privilege.ts';
import { spawnProgram } from './spawn.ts';
import { decodeTail } from './tail-buffer.ts';

const DEFAULT_TIMEOUT_MS = 15_000;
const DEFAULT_MAX_BYTES = 1024 * 1024;
/** Listening on "any address" is not an address one can call. */
const ANY_ADDRESS: Readonly<Record<string, string>> = {
  '0.0.0.0': '127.0.0.1',
  '*': '127.0.0.1',
  '': '127.0.0.1',
  '::': '::1',
};

/** This machine. */
export function createLocalHost(clock: Clock): Host {
  return {
    name: 'local',
    kind: 'local',
    platform: async () =>
      process.platform === 'linux' || process.platform === 'darwin' ? process.platform : 'unknown',
    run: runLocally,
    ...createStarter(clock),
    ...localFiles,
    reach: async (address, port) =>
      success({ address: ANY_ADDRESS[address] ?? address, port, [Symbol.asyncDispose]: async () => undefined }),
  };
}

async function runLocally(request: CommandRequest): Promise<CommandResult> {
  const {
    argv,
    privileged = false,
    environment,
    timeoutMs = DEFAULT_TIMEOUT_MS,
    maxBytes = DEFAULT_MAX_BYTES,
  } = request;
  const viaSudo = privileged && process.getuid?.() !== 0;
  const ran = await spawnProgram({
    argv: viaSudo ? throughSudo(argv) : argv,
    timeoutMs,
    maxBytes,
    environment: commandEnvironment(process.env, environment),
    ...(request.input === undefined ? {} : { input: request.input }),
    ...(request.directory === undefined ? {} : { directory: request.directory }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  const said = decodeTail(ran.stderr, ran.stderrTruncated);
  const sudoMissing = viaSudo && ran.failure === 'not-found';
  const failure = sudoMissing
    ? 'not-permitted'
    : (ran.failure ?? (viaSudo ? sudoFailure(ran.exitCode, said) : undefined));
  const advice = viaSudo && failure === 'not-permitted' ? privilegeAdvice(argv) : ran.reason;
  return {
    argv,
    exitCode: failure === undefined ? ran.exitCode : null,
    signal: ran.signal,
    stdout: decodeTail(ran.stdout, ran.stdoutTruncated),
    stderr: advice === undefined ? said : [said.trimEnd(), advice].filter(Boolean).join('\n'),
    durationMs: ran.durationMs,
    truncated: ran.stdoutTruncated || ran.stderrTruncated,
    ...(failure === undefined ? {} : { failure }),
  };
}
