import { z } from 'zod';
import type { Host } from '../../src/hosts/host.ts';
import { oneOf, reason, servicesIn } from '../shared/names.ts';
import { isWithin, plain, realParent } from '../shared/places.ts';
import { linkTarget, type Release, readReleases } from '../shared/releases.ts';
import { done, failed, lines } from '../shared/say.ts';
import { defineTool, type ToolContext } from '../tool.ts';

const output = z.object({ service: z.string(), from: z.string().nullable(), to: z.string().nullable() });
const withReleases = (service: { releases?: unknown }) => service.releases !== undefined;

export const activateRelease = defineTool({
  name: 'activate_release',
  description:
    'Points the release link of a service back at its previous release, in one step. The running process goes on with the old one: follow with restart_service.',
  risk: 'reversible',
  applies: (scope, config) => servicesIn(scope, config, withReleases).length > 0,
  input: (scope, config) =>
    z.strictObject({
      service: oneOf(servicesIn(scope, config, withReleases), 'whose release'),
      release: z
        .string()
        .regex(/^release-\d{1,6}$/, 'an id such as release-2 from recent_changes was expected')
        .optional()
        .describe('default: the newest older one'),
      reason,
    }),
  output,
  async plan(args, context) {
    const ready = await look(args, context);
    if ('refusal' in ready) return ready;
    const { from, to } = ready;
    return {
      plan: {
        title: `activate release ${to.name} of ${args.service} (now ${from})`,
        service: args.service,
        risk: 'reversible',
        undo: `point ${ready.link} back at ${from}`,
      },
    };
  },
  async run(args, context) {
    const ready = await look(args, context);
    if ('refusal' in ready)
      return failed(`No release was activated: ${ready.refusal}`, { service: args.service, from: null, to: null });
    const { from, to, link, host } = ready;
    const flipped = await host.relink(link, await linkTarget(host, link, to));
    if (!flipped.ok)
      return failed(`${link} could not be changed: ${flipped.error}. It still points at ${from}.`, {
        service: args.service,
        from,
        to: null,
      });
    return done(
      lines(
        `${link} points at ${to.name} now (before: ${from})`,
        `${args.service} runs the old code until it is restarted: restart_service(${args.service}) is the next step.`,
      ),
      { service: args.service, from, to: to.name },
    );
  },
});

interface Ready {
  from: string;
  to: Release;
  link: string;
  host: Host;
}

async function look(
  { service: name, release: id }: { service: string; release?: string | undefined },
  context: ToolContext,
): Promise<Ready | { refusal: string }> {
  const service = context.service(name);
  const host = context.host(service.host);
  const read = await readReleases(service, host);
  if (!read.ok) return { refusal: read.error };
  const { all, current, previous, target } = read.value;
  const link = service.releases?.current ?? '';
  let to: Release | null = previous;
  if (id !== undefined) {
    const known = context.handles.recall('release', id);
    to =
      all.find(
        ({ path }) => known?.host === service.host && known.value.service === name && known.value.path === path,
      ) ?? null;
    if (to === null)
      return { refusal: `${id} is no release of ${name} that is known now; recent_changes gives new ids` };
  }
  if (to === null)
    return {
      refusal:
        current === null
          ? `${link} points at ${target}, which is none of its releases, so which one came before is not known; recent_changes lists them`
          : `there is no release older than ${current.name}`,
    };
  if (to.path === current?.path) return { refusal: `${to.name} is already in use` };
  const [facts, real, folder, content] = await Promise.all([
    plain(host, to.path, 'directory'),
    realParent(host, to.path),
    realParent(host, `${service.releases?.directory ?? ''}/x`),
    host.list(to.path),
  ]);
  if (!facts.ok) return { refusal: facts.error };
  if (!real.ok || !folder.ok || !isWithin(real.value, folder.value.slice(0, -2)))
    return { refusal: `${to.path} is not within the releases of ${name}` };
  if (!content.ok || content.value.length === 0) return { refusal: `${to.name} is empty, or cannot be read` };
  return { from: current?.name ?? target, to, link, host };
}
