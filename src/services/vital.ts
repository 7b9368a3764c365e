import { basename } from 'node:path/posix';

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

/** Why a process is never ended or signalled, whoever asks and however it was found; null when nothing speaks against it. */
export function vitalBecause(target: { pid: number; parent: number; command: string }): string | null {
  if (target.pid <= 1) return 'it is the first process of the machine';
  if (target.pid === 2 || target.parent === 2 || /^\[.*\]$/.test(target.command)) return 'it is a part of the kernel';
  const program = programOf(target.command);
  if (VITAL.has(program) || program.startsWith('systemd-')) return `it is ${program}, which the machine needs`;
  return NIGHTSHIFT.test(target.command) ? 'it is Nightshift' : null;
}

/** `sshd: user [priv]`, `-bash`, `/usr/sbin/sshd -D` and `(sd-pam)` by the bare name of the program. */
const programOf = (command: string): string => basename(command.split(/\s/, 1)[0] ?? '').replace(/^[-(]+|[):]+$/g, '');
