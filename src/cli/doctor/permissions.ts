import type { Service } from '../../config/schema.ts';
import { unitName } from '../../services/unit-name.ts';

const VERBS = ['start', 'stop', 'restart', 'reload', 'reset-failed', 'kill -s SIGKILL'];

/**
 * The exact lines that let an ordinary user do what Nightshift needs with these units, and nothing else. No wildcard: in
 * sudoers one would match blanks, and so further arguments.
 */
export function sudoersLines(user: string, services: readonly Pick<Service, 'unit'>[]): string {
  const units = services.map(({ unit }) => unitName(unit));
  const commands = [...new Set(units)].flatMap((unit) =>
    VERBS.map((verb) => `/usr/bin/systemctl ${verb} ${escaped(unit)}`),
  );
  return [
    `${user} ALL=(root) NOPASSWD: \\`,
    ...commands.map((command, index) => `    ${command}${index < commands.length - 1 ? ', \\' : ''}`),
  ].join('\n');
}

/** Characters that mean something in a sudoers command. */
const escaped = (text: string): string => text.replace(/[,:=\\]/g, (character) => `\\${character}`);

/** How a key is kept from everything but running commands: no forwarding of agents or screens, no terminal. */
export const restrictedKeyLine = (): string => 'restrict,port-forwarding ssh-ed25519 AAAA... nightshift';
