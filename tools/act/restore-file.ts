import { z } from 'zod';
import { messageOf } from '../../src/base/outcome.ts';
import type { Config, Service } from '../../src/config/schema.ts';
import type { Host } from '../../src/hosts/host.ts';
import { fileState, hiddenDiff, sha256 } from '../shared/good-copies.ts';
import { configTrouble } from '../shared/managed.ts';
import { oneOf, reason, servicesIn } from '../shared/names.ts';
import { plain } from '../shared/places.ts';
import { ago, done, failed, lines } from '../shared/say.ts';
import { defineTool, type ToolContext, type ToolScope } from '../tool.ts';

const MOST_BYTES = 1024 * 1024;
const output = z.object({
  file: z.string(),
  restored: z.boolean(),
  backup: z.string().nullable(),
  copyAt: z.number().nullable(),
});

const filesIn = (scope: ToolScope, config: Config): string[] =>
  servicesIn(scope, config).flatMap((name) => config.services.get(name)?.files ?? []);

export const restoreFile = defineTool({
  name: 'restore_file',
  description:
    'Puts back the newest good copy of a watched file that differs from what is there now. Keeps what was there beside it. Follow with reload_service or restart_service.',
  risk: 'reversible',
  applies: (scope, config) => filesIn(scope, config).length > 0,
  input: (scope, config) => z.strictObject({ file: oneOf(filesIn(scope, config), 'a watched file'), reason }),
  output,
  async plan({ file }, context) {
    const ready = await look(file, context);
    if ('refusal' in ready) return ready;
    const title = `restore ${file} to its good copy of ${ago(context.clock.now(), ready.copy.at)}`;
    return {
      plan: {
        title,
        service: ready.service.name,
        risk: 'reversible',
        undo: `what is there now is kept as ${ready.backup}`,
      },
    };
  },
  async run({ file }, context) {
    const ready = await look(file, context);
    if ('refusal' in ready)
      return failed(`${file} was not restored: ${ready.refusal}`, {
        file,
        restored: false,
        backup: null,
        copyAt: null,
      });
    const { service, host, copy, good, current } = ready;
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
  service: Service;
  host: Host;
  copy: { id: string; at: number };
  good: Uint8Array;
  /** Null when the file is missing. */
  current: Uint8Array | null;
  backup: string;
}

async function look(file: string, context: ToolContext): Promise<Ready | { refusal: string }> {
  const owner = context.scope.services
    .flatMap((name) => context.config.services.get(name) ?? [])
    .find((each) => each.files?.includes(file));
  if (!owner) return { refusal: `${file} is not a watched file of a service in question` };
  const host = context.host(owner.host);
  const state = await fileState(owner, file, context);
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
  const common = { service: owner, host, copy: state.copy, good, backup };
  if (state.state === 'missing') return { ...common, current: null };
  // Writing through a link would change a file that nobody put on the list.
  const facts = await plain(host, file, 'file');
  if (!facts.ok) return { refusal: `${facts.error}; put the file itself under \`files:\`` };
  const current = await host.readBytes(file, { maxBytes: MOST_BYTES });
  return current.ok ? { ...common, current: current.value } : { refusal: current.error };
}
