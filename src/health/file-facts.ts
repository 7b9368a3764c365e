import { posix } from 'node:path';
import type { FileFacts, Host } from '../hosts/host.ts';
import type { Measurement } from './check.ts';
import { fileTrouble } from './finding.ts';

type Found = { ok: true; facts: FileFacts | null } | { ok: false; measurement: Measurement };

const MAX_LINKS = 8;

/** Facts of a file, links followed; `facts` is null when it does not exist. */
export async function findFile(host: Host, path: string): Promise<Found> {
  let at = path;
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const found = await host.fileFacts(at);
    if (!found.ok) return { ok: false, measurement: await fileTrouble(host, found.error) };
    if (found.value?.kind !== 'link' || found.value.target === undefined) return { ok: true, facts: found.value };
    at = posix.resolve(posix.dirname(at), found.value.target);
  }
  return { ok: true, facts: null };
}
