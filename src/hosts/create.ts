import type { Clock } from '../base/clock.ts';
import { failure, type Outcome, success } from '../base/outcome.ts';
import type { Config } from '../config/schema.ts';
import type { Host } from './host.ts';
import { createLocalHost } from './local.ts';
import { createSshHost } from './ssh.ts';

/** Finds a host of the inventory by its name; every host is made once, at the first use. */
export type Hosts = (name: string) => Outcome<Host>;

/** `local` is always there; the others come from `hosts:` of the configuration. */
export function createHosts(settings: Config['hosts'], clock: Clock): Hosts {
  const known = new Map<string, Host>([['local', createLocalHost(clock)]]);
  return (name) => {
    const present = known.get(name);
    if (present) return success(present);
    const entry = Object.hasOwn(settings, name) ? settings[name] : undefined;
    if (!entry)
      return failure(`there is no host "${name}"; known are ${['local', ...Object.keys(settings)].join(', ')}`);
    const port = entry.port === undefined ? {} : { port: entry.port };
    const made = createSshHost({ name, destination: entry.ssh, ...port }, clock);
    known.set(name, made);
    return success(made);
  };
}
