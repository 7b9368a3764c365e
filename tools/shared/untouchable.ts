import { basename } from 'node:path/posix';
import type { Host } from '../../src/hosts/host.ts';
import type { ProcessEntry } from './processes.ts';

/** What keeps a machine reachable and alive, by the name of its program. */
const VITAL = new Set([
  'init',
  'systemd',
  'launchd',
  'kernel_task',
  'sshd',
  'dbus-daemon',
  'dbus-broker',
  'login',
  'agetty',
  'getty',
  'dockerd',
  'containerd',
  'containerd-shim',
  'containerd-shim-runc-v2',
  'supervisord',
  'WindowServer',
  'loginwindow',
  'tailscaled',
  'NetworkManager',
  'dhclient',
  'dhcpcd',
  'wpa_supplicant',
  'udevd',
  'sudo',
  'tmux',
  'screen',
]);
const NIGHTSHIFT = /(^|[\s/])nightshift(\.js|\.ts)?(\s|$)/;

/** Why a process is never ended or signalled by a tool, whoever asks; null when nothing speaks against it. */
export function untouchable(
  target: ProcessEntry,
  all: readonly ProcessEntry[],
  host: Pick<Host, 'kind'>,
): string | null {
  if (target.pid <= 1) return 'it is the first process of the machine';
  if (target.pid === 2 || target.parent === 2 || /^\[.*\]$/.test(target.command)) return 'it is a part of the kernel';
  const program = programOf(target.command);
  if (VITAL.has(program) || program.startsWith('systemd-')) return `it is ${program}, which the machine needs`;
  if (NIGHTSHIFT.test(target.command)) return 'it is Nightshift';
  if (host.kind === 'local' && lineageOf(process.pid, all).has(target.pid))
    return 'it is Nightshift itself, or what started it';
  return null;
}

/** `sshd: user [priv]`, `-bash`, `/usr/sbin/sshd -D` and `(sd-pam)` by the bare name of the program. */
const programOf = (command: string): string => basename(command.split(/\s/, 1)[0] ?? '').replace(/^[-(]+|[):]+$/g, '');

function lineageOf(pid: number, all: readonly ProcessEntry[]): Set<number> {
  const parents = new Map(all.map((entry) => [entry.pid, entry.parent]));
  const found = new Set<number>();
  for (let at: number | undefined = pid; at !== undefined && at > 0 && !found.has(at); at = parents.get(at))
    found.add(at);
  return found;
}
