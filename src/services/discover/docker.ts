import { z } from 'zod';
import { type Host, succeeded } from '../../hosts/host.ts';
import { type Found, nothing } from './found.ts';

export interface Container {
  id: string;
  name: string;
  image: string;
  state: string;
  /** As docker says it: `Up 3 hours (healthy)`. */
  status: string;
  /** Ports of this machine that lead into it. */
  ports: number[];
  compose: { project: string; service: string; files: string[] } | null;
}

const psLine = z.object({
  ID: z.string(),
  Names: z.string(),
  Image: z.string().default(''),
  State: z.string().default(''),
  Status: z.string().default(''),
  Ports: z.string().default(''),
  Labels: z.string().default(''),
});

/** Published ports in `0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 9000-9001->9000-9001/tcp`. */
export function publishedPorts(text: string): number[] {
  const ports = new Set<number>();
  for (const [, first, last] of text.matchAll(/:(\d+)(?:-(\d+))?->[\d-]+\/tcp/g))
    for (let port = Number(first); port <= Math.min(Number(last ?? first), Number(first) + 20); port++) ports.add(port);
  return [...ports].sort((a, b) => a - b);
}

/** One label of `a=b,c=d`; a value may hold commas, so that it ends where the next name begins. */
function label(labels: string, name: string): string | null {
  const escaped = name.replaceAll('.', '\\.');
  return new RegExp(`(?:^|,)${escaped}=(.*?)(?=,[\\w.-]+=|$)`).exec(labels)?.[1] ?? null;
}

export function parseDockerPs(text: string): { containers: Container[]; unread: number } {
  let unread = 0;
  const containers = text.split('\n').flatMap((line): Container[] => {
    if (line.trim() === '') return [];
    const parsed = parseLine(line);
    if (!parsed) {
      unread += 1;
      return [];
    }
    const project = label(parsed.Labels, 'com.docker.compose.project');
    const service = label(parsed.Labels, 'com.docker.compose.service');
    const files = label(parsed.Labels, 'com.docker.compose.project.config_files') ?? '';
    const oneOff = label(parsed.Labels, 'com.docker.compose.oneoff') === 'True';
    return [
      {
        id: parsed.ID,
        name: parsed.Names.split(',')[0] ?? parsed.Names,
        image: parsed.Image,
        state: oneOff ? 'one-off' : parsed.State,
        status: parsed.Status,
        ports: publishedPorts(parsed.Ports),
        compose:
          project !== null && service !== null ? { project, service, files: files.split(',').filter(Boolean) } : null,
      },
    ];
  });
  return { containers, unread };
}

function parseLine(line: string): z.output<typeof psLine> | null {
  try {
    const parsed = psLine.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const WATCHED = /^(running|restarting|paused|dead)$/;
/** Ended by a failure of its own; 137 and 143 are what `docker stop` leaves behind. */
const FAILED = /^Exited \((?!0\)|137\)|143\))/;

/** Containers that run, or ended by a failure. */
export async function findContainers(host: Host): Promise<Found<Container>> {
  const ps = await host.run({ argv: ['docker', 'ps', '-a', '--no-trunc', '--format', '{{json .}}'], timeoutMs: 8000 });
  if (ps.failure === 'not-found') return nothing();
  if (!succeeded(ps)) {
    if (/permission denied/i.test(ps.stderr))
      return nothing('containers cannot be seen: your user may not talk to docker (sudo usermod -aG docker USER)');
    if (/cannot connect|is the docker daemon running/i.test(ps.stderr))
      return nothing('docker is installed, and its daemon does not run');
    return nothing(`containers cannot be seen: docker ${ps.failure ?? ps.stderr.trim().split('\n')[0] ?? ''}`);
  }
  const { containers, unread } = parseDockerPs(ps.stdout);
  const items = containers.filter(
    ({ state, status }) => WATCHED.test(state) || (state === 'exited' && FAILED.test(status)),
  );
  const stopped =
    containers.filter(({ state }) => state === 'exited' || state === 'created').length -
    items.filter(({ state }) => state === 'exited').length;
  return {
    items,
    notes: [
      ...(stopped > 0 ? [`${stopped} stopped container${stopped === 1 ? '' : 's'} left out`] : []),
      ...(unread > 0 ? [`${unread} lines of docker ps could not be read`] : []),
    ],
  };
}

/** The id of the container that a control group belongs to (docker on cgroup v1 and v2, compose, podman). */
export const containerOfCgroup = (cgroup: string): string | null => /\b([0-9a-f]{64})\b/.exec(cgroup)?.[1] ?? null;
