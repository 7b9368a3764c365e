import { z } from 'zod';
import { excerpt, tenth } from '../../src/health/format.ts';
import { groupOf } from '../shared/cgroup.ts';
import { loadOf } from '../shared/load.ts';
import { hideSecrets } from '../shared/mask.ts';
import { hostArgument, hostOf, serviceArgument } from '../shared/names.ts';
import { currentCpu, readProcesses } from '../shared/processes.ts';
import { done, failed, lines } from '../shared/say.ts';
import { processesOf } from '../shared/service-processes.ts';
import { defineTool } from '../tool.ts';

const output = z.object({
  host: z.string(),
  busyPercent: z.number().nullable(),
  cores: z.number().nullable(),
  load: z.array(z.number()),
  throttledPercent: z.number().nullable(),
  top: z.array(z.object({ pid: z.number(), cpuPercent: z.number(), command: z.string() })),
});

export const cpuUsage = defineTool({
  name: 'cpu_usage',
  description:
    'How busy the machine is now: CPU, load, waiting for disks, and who uses the most. With a service: its own use, and whether its CPU quota holds it back. Use it for slowness and time-outs.',
  risk: 'read',
  input: (scope, config) =>
    z.strictObject({ service: serviceArgument(scope, config, 'also its own use'), host: hostArgument(scope) }),
  output,
  async run(args, context) {
    const host = hostOf(args, context);
    const [load, now, listed, own] = await Promise.all([
      loadOf(host, context),
      currentCpu(host, context.signal),
      readProcesses(host, context.signal),
      args.service === undefined ? null : processesOf(context.service(args.service), context),
    ]);
    if (!listed.ok && load.busyPercent === null)
      return failed(`CPU of ${host.name} could not be measured. ${listed.error}`, {
        host: host.name,
        busyPercent: null,
        cores: null,
        load: [],
        throttledPercent: null,
        top: [],
      });
    const entries = (listed.ok ? listed.value : []).map((entry) => ({
      ...entry,
      cpuPercent: tenth(now === null ? entry.cpuPercent : (now.get(entry.pid) ?? 0)),
    }));
    const top = entries
      .toSorted((a, b) => b.cpuPercent - a.cpuPercent)
      .slice(0, 6)
      .filter((entry) => entry.cpuPercent >= 1);
    const pids = new Set(own?.ok ? own.value.own.map(({ pid }) => pid) : []);
    const ofService = tenth(
      entries.filter(({ pid }) => pids.has(pid)).reduce((sum, entry) => sum + entry.cpuPercent, 0),
    );
    const group = own?.ok && own.value.main !== null ? await groupOf(host, own.value.main.pid) : null;
    const throttled =
      group?.throttled !== null && group?.throttled !== undefined && (group.periods ?? 0) > 0
        ? tenth((group.throttled / (group.periods ?? 1)) * 100)
        : null;
    const content = lines(
      `${host.name}: ${load.busyPercent === null ? 'CPU not measured' : `${tenth(load.busyPercent)} % of ${load.cores} cores busy`}${load.load.length > 0 ? `, load ${load.load.join(' ')} (${load.cores} cores; more than that means waiting)` : ''}`,
      (load.waitsForDisk ?? 0) > 1 && `programs waited for disks ${load.waitsForDisk} % of the last 10 s`,
      (load.waitsForCpu ?? 0) > 10 && `programs waited for a core ${load.waitsForCpu} % of the last 10 s`,
      args.service !== undefined &&
        (pids.size === 0 ? `${args.service} has no process` : `${args.service}: ${ofService} % of one core`),
      throttled !== null &&
        throttled > 0 &&
        `its CPU quota held it back in ${throttled} % of all periods (${group?.throttled} of ${group?.periods})`,
      top.length === 0
        ? 'no process uses 1 % of a core or more'
        : `most${now === null ? ' (average since each began)' : ''}, percent of one core:`,
      top.map(
        (entry) =>
          `  ${String(entry.cpuPercent).padStart(6)} %  pid ${entry.pid}  ${excerpt(hideSecrets(entry.command), 90)}`,
      ),
    );
    return done(content, {
      host: host.name,
      busyPercent: load.busyPercent === null ? null : tenth(load.busyPercent),
      cores: load.cores,
      load: load.load,
      throttledPercent: throttled,
      top: top.map(({ pid, cpuPercent, command }) => ({ pid, cpuPercent, command: hideSecrets(command) })),
    });
  },
});
