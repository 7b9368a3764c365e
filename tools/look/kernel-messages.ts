import { z } from 'zod';
import { excerpt } from '../../src/health/format.ts';
import { type CommandResult, type Host, succeeded } from '../../src/hosts/host.ts';
import { linesSince, telling } from '../shared/kernel.ts';
import { hostArgument } from '../shared/names.ts';
import { count, done, failed, lines, whatCameBack } from '../shared/say.ts';
import { defineTool } from '../tool.ts';

const SHOWN = 15;
const output = z.object({
  host: z.string(),
  source: z.string().nullable(),
  messages: z.array(z.object({ kind: z.string(), text: z.string() })),
});

export const kernelMessages = defineTool({
  name: 'kernel_messages',
  description:
    'What the kernel reported: killed for want of memory, disk errors, read-only remounts, crashes (segfault), network tables full. Use it when a process died by a signal.',
  risk: 'read',
  input: (scope) => z.strictObject({ host: hostArgument(scope), since_minutes: z.int().min(1).max(1440).default(120) }),
  output,
  async run({ host: hostName, since_minutes: minutes }, context) {
    const host = context.host(hostName);
    const read = await kernelLog(host, minutes, context.clock.now(), context.signal);
    if (read.text === null)
      return failed(
        `The kernel's messages could not be read: ${read.tried.join('; ')}. Reading them may need root (kernel.dmesg_restrict). memory_usage counts what was killed for want of memory.`,
        { host: host.name, source: null, messages: [] },
      );
    const messages = telling(read.text);
    const shown = messages.slice(-SHOWN);
    const content = lines(
      `${host.name}, last ${minutes} min, from ${read.source}: ${messages.length === 0 ? 'nothing that tells of trouble' : count(messages.length, 'telling line')}`,
      messages.length > shown.length && `the newest ${shown.length}:`,
      shown.map(({ kind, text }) => `[${kind}] ${excerpt(text, 260)}`),
    );
    return done(content, { host: host.name, source: read.source, messages: shown });
  },
});

/** The first source that works: dmesg, the journal; macOS has its own log. */
async function kernelLog(host: Host, minutes: number, now: number, signal: AbortSignal) {
  const tried: string[] = [];
  const ask = async (argv: CommandResult['argv'], timeoutMs: number, privileged = false): Promise<string | null> => {
    const result = await host.run({ argv, timeoutMs, maxBytes: 2 * 1024 * 1024, privileged, signal });
    if (succeeded(result)) return result.stdout;
    tried.push(whatCameBack(result, host));
    return null;
  };
  if ((await host.platform()) === 'darwin') {
    const predicate =
      'process == "kernel" AND (eventMessage CONTAINS[c] "memorystatus" OR eventMessage CONTAINS[c] "i/o error" OR eventMessage CONTAINS[c] "panic" OR eventMessage CONTAINS[c] "jetsam")';
    return {
      text: await ask(['log', 'show', '--last', `${minutes}m`, '--style', 'compact', '--predicate', predicate], 30_000),
      source: 'log show',
      tried,
    };
  }
  const dmesg =
    (await ask(['dmesg', '--time-format', 'iso'], 5000)) ?? (await ask(['dmesg', '--time-format', 'iso'], 5000, true));
  if (dmesg !== null) return { text: linesSince(dmesg, now - minutes * 60_000), source: 'dmesg', tried };
  return {
    text: await ask(
      ['journalctl', '-k', '--no-pager', '-q', '-o', 'short-iso', '-n', '5000', '--since', `-${minutes}min`],
      10_000,
    ),
    source: 'journalctl -k',
    tried,
  };
}
