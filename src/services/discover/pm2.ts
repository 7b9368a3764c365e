import { z } from 'zod';
import { type Host, succeeded } from '../../hosts/host.ts';
import { type Found, nothing } from './found.ts';
import type { ProcessEntry } from './processes.ts';

export interface Pm2Program {
  name: string;
  pids: number[];
  status: string;
}

// Only what is needed: pm2 hands out the whole environment of each program with it.
const jlist = z.array(
  z.object({
    name: z.string(),
    pid: z.number().nullish(),
    pm2_env: z.object({ status: z.string().default('unknown') }),
  }),
);

export function parseJlist(text: string): Pm2Program[] | null {
  // pm2 may say something before the list.
  const start = text.search(/^\[(?=\{|\])/m);
  if (start < 0) return null;
  let raw: unknown;
  try {
    raw = JSON.parse(text.slice(start));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  const parsed = jlist.safeParse(raw);
  if (!parsed.success) return null;
  const byName = new Map<string, Pm2Program>();
  for (const { name, pid, pm2_env } of parsed.data) {
    const program = byName.get(name) ?? { name, pids: [], status: pm2_env.status };
    if (pid) program.pids.push(pid);
    byName.set(name, program);
  }
  return [...byName.values()];
}

/** Programs of pm2, asked only when its daemon runs: asking would start it. */
export async function findPm2(host: Host, processes: readonly ProcessEntry[]): Promise<Found<Pm2Program>> {
  if (!processes.some(({ command }) => /^PM2 v[\d.]+: God Daemon/.test(command))) return nothing();
  const list = await host.run({ argv: ['pm2', 'jlist'], timeoutMs: 10_000, maxBytes: 16 * 1024 * 1024 });
  if (!succeeded(list))
    return nothing('pm2 runs, and its programs cannot be seen: the pm2 command is missing or did not answer');
  const programs = parseJlist(list.stdout);
  if (!programs) return nothing('pm2 runs, and its list could not be read');
  const items = programs.filter(({ status }) => status !== 'stopped');
  const left = programs.length - items.length;
  return { items, notes: left > 0 ? [`${left} stopped program${left === 1 ? '' : 's'} of pm2 left out`] : [] };
}
