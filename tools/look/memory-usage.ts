import { z } from 'zod';
import { excerpt, formatBytes, formatSpan, tenth } from '../../src/health/format.ts';
import { machineMemory } from '../../src/health/machine.ts';
import { groupOf } from '../shared/cgroup.ts';
import { hideSecrets } from '../shared/mask.ts';
import { hostArgument, hostOf, serviceArgument } from '../shared/names.ts';
import { readProcesses } from '../shared/processes.ts';
import { count, done, failed, lines } from '../shared/say.ts';
import { processesOf } from '../shared/service-processes.ts';
import { defineTool } from '../tool.ts';

const output = z.object({
  host: z.string(),
  usedPercent: z.number().nullable(),
  availableBytes: z.number().nullable(),
  oomKills: z.number().nullable().describe('since the machine started'),
  service: z
    .object({ rssBytes: z.number(), limitBytes: z.number().nullable(), oomKills: z.number().nullable() })
    .nullable(),
  top: z.array(z.object({ pid: z.number(), rssBytes: z.number(), command: z.string() })),
});

export const memoryUsage = defineTool({
  name: 'memory_usage',
  description:
    'Memory of the machine, the largest processes, and whether anything was killed for want of memory. With a service: its own use and limit.',
  risk: 'read',
  input: (scope, config) =>
    z.strictObject({
      service: serviceArgument(scope, config, 'also its own use and limit'),
      host: hostArgument(scope),
    }),
  output,
  async run(args, context) {
    const host = hostOf(args, context);
    const linux = (await host.platform()) === 'linux';
    const [memory, listed, vmstat, pressure, own] = await Promise.all([
      machineMemory(host, { timeoutMs: 8000, signal: context.signal }),
      readProcesses(host, context.signal),
      linux ? host.readFile('/proc/vmstat', { maxBytes: 65_536 }) : null,
      linux ? host.readFile('/proc/pressure/memory', { maxBytes: 4096 }) : null,
      args.service === undefined ? null : processesOf(context.service(args.service), context),
    ]);
    if (!memory.ok && !listed.ok)
      return failed(`Memory of ${host.name} could not be measured: ${memory.measurement.summary}; ${listed.error}`, {
        host: host.name,
        usedPercent: null,
        availableBytes: null,
        oomKills: null,
        service: null,
        top: [],
      });
    const usedPercent = memory.ok ? tenth((1 - memory.value.availableBytes / memory.value.totalBytes) * 100) : null;
    const kills = vmstat?.ok ? Number(/^oom_kill (\d+)$/m.exec(vmstat.value.text)?.[1] ?? Number.NaN) : Number.NaN;
    const stalled = pressure?.ok ? /^full avg10=([\d.]+)/m.exec(pressure.value.text)?.[1] : undefined;
    const top = (listed.ok ? listed.value : []).toSorted((a, b) => b.rssBytes - a.rssBytes).slice(0, 8);
    const main = own?.ok ? own.value.main : null;
    const group = main === null ? null : await groupOf(host, main.pid);
    const rssBytes = own?.ok ? own.value.own.reduce((sum, entry) => sum + entry.rssBytes, 0) : 0;
    const content = lines(
      memory.ok &&
        `${host.name}: ${usedPercent} % of ${formatBytes(memory.value.totalBytes)} used, ${formatBytes(memory.value.availableBytes)} available${memory.value.swapUsedPercent === null ? ', no swap' : `, swap ${tenth(memory.value.swapUsedPercent)} % used`}`,
      !memory.ok && memory.measurement.summary,
      stalled !== undefined &&
        Number(stalled) > 0 &&
        `programs stood still for want of memory ${stalled} % of the last 10 s`,
      !Number.isNaN(kills) &&
        (kills === 0
          ? 'nothing was killed for want of memory since the machine started'
          : `${count(kills, 'process', 'processes')} killed for want of memory since the machine started (kernel_messages tells which)`),
      args.service !== undefined &&
        (main === null
          ? `${args.service} has no process`
          : `${args.service}: ${formatBytes(rssBytes)} in ${count(own?.ok ? own.value.own.length : 0, 'process', 'processes')}, running for ${formatSpan(main.ageMs)}`),
      group !== null &&
        group.memoryLimit !== null &&
        group.memoryUsed !== null &&
        `its limit is ${formatBytes(group.memoryLimit)}, of which ${tenth((group.memoryUsed / group.memoryLimit) * 100)} % are used`,
      group !== null &&
        (group.oomKills ?? 0) > 0 &&
        `within its limit ${count(group.oomKills ?? 0, 'process', 'processes')} were killed for want of memory`,
      'largest:',
      top.map(
        (entry) =>
          `  ${formatBytes(entry.rssBytes).padStart(8)}  pid ${entry.pid}  ${excerpt(hideSecrets(entry.command), 90)}`,
      ),
    );
    return done(content, {
      host: host.name,
      usedPercent,
      availableBytes: memory.ok ? memory.value.availableBytes : null,
      oomKills: Number.isNaN(kills) ? null : kills,
      service:
        main === null ? null : { rssBytes, limitBytes: group?.memoryLimit ?? null, oomKills: group?.oomKills ?? null },
      top: top.map(({ pid, rssBytes: bytes, command }) => ({ pid, rssBytes: bytes, command: hideSecrets(command) })),
    });
  },
});
