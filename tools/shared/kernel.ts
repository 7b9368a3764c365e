/** One thing the kernel said that a person should know. */
interface KernelMessage {
  kind: 'oom' | 'disk' | 'read-only' | 'crash' | 'hung' | 'network' | 'hardware';
  text: string;
}

const KINDS: readonly (readonly [KernelMessage['kind'], RegExp])[] = [
  ['oom', /out of memory|oom-kill|oom_reaper|killed process|invoked oom-killer|memorystatus.*kill|jetsam/i],
  ['read-only', /remounting filesystem read-only|remount-ro|forced read-only/i],
  [
    'disk',
    /i\/o error|blk_update_request|ext4-fs (error|warning)|xfs.*(error|corrupt|shutdown)|btrfs.*error|critical medium error|ata\d.*(failed|error)|nvme.*(timeout|reset)|disk\d+s?\d*: .*error|no space left/i,
  ],
  ['crash', /segfault|general protection|trap invalid opcode|kernel bug|kernel panic|oops:/i],
  ['hung', /blocked for more than|hung_task|soft lockup|hard lockup|rcu.*stall/i],
  [
    'network',
    /nf_conntrack: table full|possible syn flooding|tcp: out of memory|neighbour.*table overflow|link is down|nic link/i,
  ],
  ['hardware', /mce:|machine check|hardware error|edac|temperature above threshold|cpu clock throttled/i],
];

/** The lines that tell of trouble, oldest first. */
export const telling = (output: string): KernelMessage[] =>
  output.split('\n').flatMap((line) => {
    const kind = KINDS.find(([, pattern]) => pattern.test(line))?.[0];
    return kind === undefined ? [] : [{ kind, text: line.trim() }];
  });

/** Keeps the lines of `dmesg --time-format iso` from `since` on; a line without a time goes with the one before it. */
export function linesSince(output: string, since: number): string {
  let within = false;
  return output
    .split('\n')
    .filter((line) => {
      const time = Date.parse(
        /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)[.,]?\d*([+-]\d\d:?\d\d|Z)?/
          .exec(line.replace(',', '.'))
          ?.slice(1, 3)
          .join('') ?? '',
      );
      if (!Number.isNaN(time)) within = time >= since - 1000;
      return within;
    })
    .join('\n');
}
