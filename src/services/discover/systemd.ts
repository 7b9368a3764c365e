import { type Host, succeeded } from '../../hosts/host.ts';
import { type Found, nothing } from './found.ts';

export interface SystemdUnit {
  /** Such as `redis-server.service`. */
  id: string;
  user: boolean;
  description: string;
  failed: boolean;
  mainPid: number | null;
}

/** What makes a machine run rather than what runs on it, by the names Debian, Fedora, Arch and Ubuntu give it. */
const PLUMBING =
  /^(systemd-|user@|user-runtime-dir@|getty@|serial-getty@|container-getty@|console-getty|autovt@|dbus(-broker)?\.|init|emergency|rescue|polkit|accounts-daemon|udisks2|upower|ModemManager|wpa_supplicant|NetworkManager|networkd-dispatcher|avahi-daemon|cups|colord|rtkit-daemon|bluetooth|packagekit|snapd?\.|unattended-upgrades|gdm|lightdm|sddm|display-manager|switcheroo-control|power-profiles-daemon|thermald|irqbalance|fwupd|multipathd|qemu-guest-agent|open-vm-tools|vmtoolsd|lvm2-|dm-event|plymouth|kerneloops|whoopsie|apport|boltd|rpcbind|haveged|rng-tools|rngd|acpid|anacron|atd|auditd|containerd|iscsid|ifup@|networking|keyboard-setup|console-setup|kmod|blk-availability|cloud-|google-|amazon-|walinuxagent|e2scrub|fstrim|logrotate|man-db|apt-|dpkg-|motd|gpg-agent|pipewire|wireplumber|pulseaudio|xdg-|gvfs|at-spi|tracker|evolution-|gnome-|org\.|app-|dconf|obex|nix-daemon|lima-|user-session)/;

interface Block {
  [property: string]: string;
}

/** Blocks of `Name=value` lines with an empty line between them, as `systemctl show` prints them. */
function parseShow(text: string): Block[] {
  return text.split(/\n\s*\n/).flatMap((part) => {
    const entries = part.split('\n').flatMap((line) => {
      const at = line.indexOf('=');
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : [];
    });
    return entries.length > 0 ? [Object.fromEntries(entries)] : [];
  });
}

function judge(blocks: Block[], user: boolean): Found<SystemdUnit> {
  const items: SystemdUnit[] = [];
  const failedJobs: string[] = [];
  for (const block of blocks) {
    const id = block.Id ?? '';
    const failed = block.ActiveState === 'failed';
    const runs =
      block.SubState === 'running' || block.ActiveState === 'activating' || block.SubState === 'auto-restart';
    if (!id.endsWith('.service') || (!failed && !runs)) continue;
    if (block.Type === 'oneshot') {
      if (failed) failedJobs.push(id);
      continue;
    }
    if (PLUMBING.test(id)) {
      if (failed) failedJobs.push(id);
      continue;
    }
    const mainPid = Number(block.MainPID ?? 0);
    items.push({ id, user, description: block.Description ?? '', failed, mainPid: mainPid > 0 ? mainPid : null });
  }
  const notes =
    failedJobs.length === 0
      ? []
      : [
          `failed, and not watched because it is a job or a part of the system itself: ${failedJobs.slice(0, 8).join(', ')}`,
        ];
  return { items, notes };
}

const PROPERTIES = 'Id,Description,ActiveState,SubState,Type,MainPID';

/** Units that run or have failed and are worth watching; systemd's own and the desktop's are not. */
export async function findUnits(host: Host): Promise<Found<SystemdUnit>> {
  const show = (...scope: string[]) =>
    host.run({
      argv: ['systemctl', ...scope, 'show', '--no-pager', `--property=${PROPERTIES}`, '*.service'],
      timeoutMs: 8000,
    });
  const [system, own] = await Promise.all([show(), show('--user')]);
  if (system.failure === 'not-found') return nothing();
  if (!succeeded(system)) {
    const said = system.stderr.trim().split('\n')[0] ?? '';
    if (/not been booted with systemd|Host is down/.test(system.stderr)) return nothing('systemd does not run here');
    return nothing(`systemd units cannot be seen: ${system.failure ?? said}`);
  }
  const units = judge(parseShow(system.stdout), false);
  const users = succeeded(own) ? judge(parseShow(own.stdout), true) : nothing<SystemdUnit>();
  return { items: [...units.items, ...users.items], notes: [...units.notes, ...users.notes] };
}

/** The unit that a control group belongs to; the innermost one that is a service. */
export function unitOfCgroup(cgroup: string): { id: string; user: boolean } | null {
  const parts = cgroup.split('/');
  const service = parts.findLast((part) => part.endsWith('.service') && !part.startsWith('user@'));
  if (service === undefined) return null;
  const id = service.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return { id, user: parts.some((part) => part.startsWith('user@')) };
}
