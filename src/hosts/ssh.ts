import type { Clock } from '../base/clock.ts';
import type { Host } from './host.ts';
import { createSshConnection, type SshSettings } from './ssh-connection.ts';
import { createSshFiles } from './ssh-files.ts';
import { reachThrough } from './ssh-reach.ts';
import { runRemotely } from './ssh-run.ts';
import { startRemotely } from './ssh-start.ts';

const ANY_ADDRESS: Readonly<Record<string, string>> = {
  '0.0.0.0': '127.0.0.1',
  '*': '127.0.0.1',
  '': '127.0.0.1',
  '::': '::1',
};

/**
 * A machine reached by the system's `ssh`, in batch mode and with strict host keys: it never asks, and never trusts a
 * host nobody vouched for. The login shell there must understand POSIX quoting (sh, bash, dash, zsh).
 */
export function createSshHost(settings: SshSettings, clock: Clock): Host {
  const connection = createSshConnection(settings, clock);
  return {
    name: settings.name,
    kind: 'ssh',
    platform: async () => {
      const facts = await connection.facts();
      return facts.ok ? facts.value.platform : 'unknown';
    },
    run: (request) => runRemotely(connection, request),
    start: (request) => startRemotely(connection, request),
    endOf: () => null,
    ...createSshFiles(connection),
    reach: (address, port) => reachThrough(connection, ANY_ADDRESS[address] ?? address, port),
  };
}
