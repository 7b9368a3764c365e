import type { Service } from '../config/schema.ts';
import { type CommandResult, type Host, succeeded } from '../hosts/host.ts';

const TIME_LIMIT_MS = 20_000;
/** What a test says when it may not read what it should judge: nothing of the configuration. */
const NOT_PERMITTED = /permission denied|not permitted|must be root|operation not allowed/i;

/** What the `config_test` of a service says. `valid` is null when it could not be run, or was not permitted to look. */
export interface ConfigVerdict {
  valid: boolean | null;
  result: CommandResult;
}

/** Runs the `config_test` of a service the one way it is run: its folder, its environment. Null when there is none. */
export async function runConfigTest(service: Service, host: Host, signal?: AbortSignal): Promise<ConfigVerdict | null> {
  if (service.config_test === undefined) return null;
  const result = await host.run({
    argv: service.config_test,
    timeoutMs: TIME_LIMIT_MS,
    directory: service.directory,
    environment: service.environment,
    maxBytes: 16 * 1024,
    ...(signal === undefined ? {} : { signal }),
  });
  const unknown =
    result.failure !== undefined ||
    result.exitCode === null ||
    (!succeeded(result) && NOT_PERMITTED.test(result.stderr));
  return { valid: unknown ? null : succeeded(result), result };
}
