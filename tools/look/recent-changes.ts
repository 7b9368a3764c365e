import { z } from 'zod';
import { fileState } from '../shared/good-copies.ts';
import { oneOf, servicesIn } from '../shared/names.ts';
import { packageChanges } from '../shared/packages.ts';
import { readReleases } from '../shared/releases.ts';
import { ago, done, lines } from '../shared/say.ts';
import { defineTool, type ToolContext } from '../tool.ts';

const RELEASES_SHOWN = 6;
const output = z.object({
  service: z.string(),
  files: z.array(
    z.object({
      path: z.string(),
      state: z.enum(['unchanged', 'changed', 'missing', 'no-copy', 'unreadable']),
      modifiedAt: z.number().nullable(),
    }),
  ),
  release: z
    .object({ current: z.string().nullable(), previous: z.string().nullable(), linkedAt: z.number() })
    .nullable(),
  packages: z.array(z.string()),
});

export const recentChanges = defineTool({
  name: 'recent_changes',
  description:
    'What changed: files of a service against their last good copy (with the difference), its releases, packages of the system. Use it early: most faults follow a change.',
  risk: 'read',
  input: (scope, config) =>
    z.strictObject({
      service: oneOf(servicesIn(scope, config), 'whose files and releases'),
      since_hours: z.int().min(1).max(168).default(24).describe('for packages'),
    }),
  output,
  async run({ service: name, since_hours: hours }, context) {
    const service = context.service(name);
    const host = context.host(service.host);
    const now = context.clock.now();
    const [files, release, packages] = await Promise.all([
      Promise.all((service.files ?? []).map((path) => fileState(service, path, context))),
      service.releases === undefined ? null : releaseState(name, context),
      packageChanges(host, now - hours * 3_600_000),
    ]);
    const status = await context.manager(name)?.status();
    const since = status?.ok ? status.value.since : null;
    const content = lines(
      `${name}${since === null ? '' : ` (in its present state since ${ago(now, since)})`}:`,
      files.length === 0 ? 'no `files:` are watched for it' : files.map(({ text }) => text),
      release?.text ?? 'it has no releases',
      packages.length === 0
        ? `no package of the system is known to have changed in the last ${hours} h`
        : `packages changed in the last ${hours} h:\n${packages.map((each) => `  ${each}`).join('\n')}`,
    );
    return done(content, {
      service: name,
      files: files.map(({ path, state, modifiedAt }) => ({ path, state, modifiedAt })),
      release: release?.details ?? null,
      packages,
    });
  },
});

async function releaseState(name: string, context: ToolContext) {
  const service = context.service(name);
  const read = await readReleases(service, context.host(service.host));
  if (!read.ok) return { text: `its releases could not be looked at: ${read.error}`, details: null };
  const { all, current, previous, target, linkedAt } = read.value;
  const now = context.clock.now();
  const text = lines(
    `release ${current?.name ?? `${target} (none of its releases)`}, in use since ${ago(now, linkedAt)}${previous === null ? '; there is no older one' : `; activate_release would go back to ${previous.name}`}`,
    all.slice(0, RELEASES_SHOWN).map((release) => {
      const id = context.handles.remember('release', service.host, { service: name, path: release.path });
      return `  ${id.padEnd(10)} ${release.name}  changed ${ago(now, release.modifiedAt)}${release === current ? '  <- in use' : ''}`;
    }),
    all.length > RELEASES_SHOWN && `  and ${all.length - RELEASES_SHOWN} older ones`,
  );
  return { text, details: { current: current?.name ?? null, previous: previous?.name ?? null, linkedAt } };
}
