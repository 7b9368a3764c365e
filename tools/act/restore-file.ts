import { z } from 'zod';
import { messageOf } from '../../src/base/outcome.ts';
import type { Service } from '../../src/config/schema.ts';
import type { Host } from '../../src/hosts/host.ts';
import { type FileState, fileState, hiddenDiff, sha256 } from '../shared/good-copies.ts';
import { configTrouble } from '../shared/managed.ts';
import { oneOf, reason, servicesIn } from '../shared/names.ts';
import { plain } from '../shared/places.ts';
import { ago, done, failed, lines } from '../shared/say.ts';
import { defineTool, type ToolContext } from '../tool.ts';

const MOST_BYTES = 1024 * 1024;
const output = z.object({
  file: z.string().nullable(),
  restored: z.boolean(),
  backup: z.string().nullable(),
  copyAt: z.number().nullable(),
});

const watching = (service: Service): boolean => (service.files?.length ?? 0) > 0;

export const restoreFile = defineTool({
  name: 'restore_file',
  description:
    'Puts back the newest good copy of a watched file that differs from what is there now. Keeps what was there beside it. Follow with reload_service or restart_service.',
  risk: 'reversible',
  applies: (scope, config) => servicesIn(scope, config, watching).length > 0,
  input: (scope, config) => {
    const services = servicesIn(scope, config, watching);
    const files = services.flatMap((name) => config.services.get(name)?.files ?? []);
    return z.strictObject({
      service: oneOf(services, 'whose file'),
      path: oneOf(files, 'a watched file of it; default: the one that was changed or is missing').optional(),
      reason,
    });
  },
  output,
  async plan(args, context) {
    const ready = await look(args, context);
    if ('refusal' in ready) return ready;
    const title = `restore ${ready.file} of ${args.service} to its good copy of ${ago(context.clock.now(), ready.copy.at)}`;
    return {
      plan: {
        title,
        service: ready.service.name,
        risk: 'reversible',
        undo: `what is there now is kept as ${ready.backup}`,
      },
    };
  },
  async run(args, context) {
    const ready = await look(args, context);
    if ('refusal' in ready)
      return failed(`Nothing was restored: ${ready.refusal}`, {
        file: args.path ?? null,
        restored: false,
        backup: null,
        copyAt: null,
      });
    const { service, host, file, copy, good, current } = ready;
    const backup = current === null ? null : ready.backup;
    const details = { file, restored: false, backup, copyAt: copy.at };
    if (current !== null && backup !== null) {
      const kept = await host.writeFile(backup, current, { mode: 0o600 });
      if (!kept.ok)
        return failed(`${file} was not restored, because what is there could not be kept first: ${kept.error}`, {
          ...details,
          backup: null,
        });
    }
    const written = await host.writeFile(file, good, current === null ? { mode: 0o600 } : {});
    if (!written.ok) return failed(`${file} could not be restored: ${written.error}. It is as it was.`, details);
    const trouble = await configTrouble(service, context);
    if (trouble !== null) {
      const back = current === null ? await host.remove(file) : await host.writeFile(file, current);
      return failed(
        lines(
          `${file} was restored, but the configuration of ${service.name} is not valid with it: ${trouble}`,
          back.ok
            ? 'So it was put back as it was.'
            : `Putting it back FAILED: ${back.error}. What was there is kept as ${backup}.`,
        ),
        details,
      );
    }
    const next = service.config_test === undefined ? '' : 'Its configuration test passes. ';
    const missing =
      current === null
        ? 'The file was missing; it has mode 0600 and belongs to the user of Nightshift now, which the service may not be able to read. '
        : '';
    return done(
      lines(
        `restored ${file} to its good copy of ${ago(context.clock.now(), copy.at)}${backup === null ? '' : `; what was there is kept as ${backup}`}`,
        `${next}${missing}${service.name} reads it only after reload_service or restart_service.`,
        current !== null && hiddenDiff(file, current, good),
      ),
      { ...details, restored: true },
    );
  },
});

interface Ready {
  file: string;
  service: Service;
  host: Host;
  copy: { id: string; at: number };
  good: Uint8Array;
  /** Null when the file is missing. */
  current: Uint8Array | null;
  backup: string;
}

type Arguments = { service: string; path?: string | undefined };

async function look(args: Arguments, context: ToolContext): Promise<Ready | { refusal: string }> {
  const owner = context.service(args.service);
  const host = context.host(owner.host);
  const state = await chosenFile(owner, args.path, context);
  if ('refusal' in state) return state;
  const file = state.path;
  if (state.state === 'unreadable') return { refusal: state.text };
  if (state.copy === null)
    return {
      refusal:
        state.state === 'no-copy'
          ? `no good copy of ${file} is kept`
          : `every good copy of ${file} is the same as what is there now`,
    };
  let good: Uint8Array;
  try {
    good = context.goodCopies.read(state.copy.id);
  } catch (thrown) {
    return { refusal: `its good copy cannot be read: ${messageOf(thrown)}` };
  }
  const kept = context.goodCopies.list(owner.name, file).find(({ id }) => id === state.copy?.id);
  if (kept?.sha256 !== sha256(good))
    return {
      refusal: `its good copy of ${ago(context.clock.now(), state.copy.at)} is damaged (its checksum does not fit)`,
    };
  const backup = `${file}.nightshift-${new Date(context.clock.now()).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
  const common = { service: owner, host, file, copy: state.copy, good, backup };
  if (state.state === 'missing') return { ...common, current: null };
  // Writing through a link would change a file that nobody put on the list.
  const facts = await plain(host, file, 'file');
  if (!facts.ok) return { refusal: `${facts.error}; put the file itself under \`files:\`` };
  const current = await host.readBytes(file, { maxBytes: MOST_BYTES });
  return current.ok ? { ...common, current: current.value } : { refusal: current.error };
}

/** The file that is named, or the only one that is not as it was while the checks passed. */
async function chosenFile(
  service: Service,
  path: string | undefined,
  context: ToolContext,
): Promise<FileState | { refusal: string }> {
  const files = service.files ?? [];
  if (path !== undefined)
    return files.includes(path)
      ? fileState(service, path, context)
      : { refusal: `${path} is not a watched file of ${service.name}` };
  const states = await Promise.all(files.map((each) => fileState(service, each, context)));
  const changed = states.filter(({ state }) => state === 'changed' || state === 'missing');
  const [only] = files.length === 1 ? states : changed;
  if (changed.length > 1)
    return { refusal: `several files differ: ${changed.map((each) => each.path).join(', ')}; name one as path` };
  return only ?? { refusal: `no watched file of ${service.name} differs from its good copy` };
}
