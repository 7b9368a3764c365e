import { z } from 'zod';
import type { CheckConfig } from '../../config/checks.ts';
import type { CheckContext, CheckRunner, Measurement } from '../check.ts';
import { look, unmeasured } from '../finding.ts';
import { tenth } from '../format.ts';
import { judge } from '../limits.ts';
import { parseProcessTicks, parseProcStat } from '../machine.ts';
import { mainTree } from '../main-process.ts';
import { readPosition } from '../position.ts';
import { listProcesses } from '../processes.ts';

/** Without a usable earlier reading, two are taken this far apart. */
const PAUSE_MS = 200;
/** An older reading would average over too much. */
const OLDEST_MS = 15 * 60_000;
/** Linux counts process time in hundredths of a second towards programs on every platform Node runs on (USER_HZ). */
const TICKS_PER_SECOND = 100;

const machinePosition = z.object({ at: z.number(), busy: z.number(), total: z.number() });
const servicePosition = z.object({ at: z.number(), ticks: z.array(z.tuple([z.number(), z.number()])) });

/** Percent of all cores, percent of one core by a service, or load per core. */
export const cpu: CheckRunner<'cpu'> = async (check, context) => {
  const darwin = (await context.host.platform()) === 'darwin';
  if (check.settings.cpu === 'load') return load(check, context, darwin);
  if (check.settings.cpu === 'machine') return darwin ? machineOnMac(check, context) : machine(check, context);
  return service(check, context, darwin);
};

const asking = ({ withinMs }: CheckConfig, { signal }: CheckContext) => ({ timeoutMs: withinMs, signal });

async function machine(check: CheckConfig<'cpu'>, context: CheckContext): Promise<Measurement> {
  const { clock, history, host, signal } = context;
  const read = async () => {
    const looked = await look(host, ['cat', '/proc/stat'], asking(check, context));
    if (!looked.ok) return looked;
    const reading = parseProcStat(looked.text);
    return reading
      ? { ok: true as const, reading, at: clock.now() }
      : {
          ok: false as const,
          measurement: unmeasured('look-failed', '/proc/stat does not say how busy the cores are'),
        };
  };
  let now = await read();
  if (!now.ok) return now.measurement;
  let before = readPosition(history, check.key, machinePosition);
  if (!before || now.at - before.at > OLDEST_MS || now.at < before.at || now.reading.total <= before.total) {
    before = { at: now.at, busy: now.reading.busy, total: now.reading.total };
    await clock.sleep(PAUSE_MS, signal);
    now = await read();
    if (!now.ok) return now.measurement;
  }
  const { busy, total, cores } = now.reading;
  history.setPosition(check.key, JSON.stringify({ at: now.at, busy, total }));
  const percent = total > before.total ? tenth(((busy - before.busy) / (total - before.total)) * 100) : 0;
  return machineVerdict(check, percent, cores);
}

async function machineOnMac(check: CheckConfig<'cpu'>, context: CheckContext): Promise<Measurement> {
  const [listed, cores] = await Promise.all([listProcesses(context, check.withinMs), coresOf(check, context, true)]);
  if (!listed.ok) return listed.measurement;
  if (!cores.ok) return cores.measurement;
  const sum = listed.processes.reduce((total, { cpuPercent }) => total + cpuPercent, 0);
  return machineVerdict(check, tenth(Math.min(sum / cores.count, 100)), cores.count);
}

const machineVerdict = (check: CheckConfig<'cpu'>, percent: number, cores: number): Measurement =>
  judge(
    {
      value: percent,
      unit: '%',
      summary: `${percent} % of ${cores} cores in use`,
      facts: { used_percent: percent, cores },
    },
    check.settings,
  );

async function load(check: CheckConfig<'cpu'>, context: CheckContext, darwin: boolean): Promise<Measurement> {
  const argv = darwin ? (['sysctl', '-n', 'vm.loadavg'] as const) : (['cat', '/proc/loadavg'] as const);
  const [looked, cores] = await Promise.all([
    look(context.host, argv, asking(check, context)),
    coresOf(check, context, darwin),
  ]);
  if (!looked.ok) return looked.measurement;
  if (!cores.ok) return cores.measurement;
  const [one, five, fifteen] = (looked.text.match(/\d+[.,]\d+/g) ?? []).map((text) => Number(text.replace(',', '.')));
  if (one === undefined) return unmeasured('look-failed', `no load average in "${looked.text.trim()}"`);
  const perCore = Math.round((one / cores.count) * 100) / 100;
  const facts = { load_1: one, load_5: five ?? null, load_15: fifteen ?? null, cores: cores.count };
  return judge(
    { value: perCore, unit: 'per core', summary: `load ${one} on ${cores.count} cores`, facts },
    check.settings,
  );
}

type Cores = { ok: true; count: number } | { ok: false; measurement: Measurement };

async function coresOf(check: CheckConfig<'cpu'>, context: CheckContext, darwin: boolean): Promise<Cores> {
  const argv = darwin ? (['sysctl', '-n', 'hw.ncpu'] as const) : (['cat', '/proc/stat'] as const);
  const looked = await look(context.host, argv, asking(check, context));
  if (!looked.ok) return looked;
  const count = darwin ? Number(looked.text.trim()) : (parseProcStat(looked.text)?.cores ?? 0);
  return count > 0
    ? { ok: true, count }
    : { ok: false, measurement: unmeasured('look-failed', 'how many cores there are is not known') };
}

async function service(check: CheckConfig<'cpu'>, context: CheckContext, darwin: boolean): Promise<Measurement> {
  const { clock, history, host, signal } = context;
  const main = await mainTree(context, check.withinMs);
  if (!main.ok) return main.measurement;
  if (darwin)
    return serviceVerdict(
      check,
      main.tree.reduce((sum, { cpuPercent }) => sum + cpuPercent, 0),
      main,
    );
  const files = main.tree.map(({ pid }) => `/proc/${pid}/stat`);
  const read = async () => {
    // A process of the tree may have ended meanwhile: what could be read counts.
    const { stdout } = await host.run({ argv: ['cat', ...files], ...asking(check, context) });
    return { at: clock.now(), ticks: parseProcessTicks(stdout) };
  };
  let now = await read();
  const saved = readPosition(history, check.key, servicePosition);
  let before = saved && { at: saved.at, ticks: new Map(saved.ticks) };
  if (!before?.ticks.has(main.pid) || now.at - before.at > OLDEST_MS || now.at <= before.at) {
    before = now;
    await clock.sleep(PAUSE_MS, signal);
    now = await read();
  }
  if (!now.ticks.has(main.pid)) return unmeasured('not-running', `${context.service.name} ended while it was measured`);
  history.setPosition(check.key, JSON.stringify({ at: now.at, ticks: [...now.ticks] }));
  const earlier = before.ticks;
  const spent = [...now.ticks].reduce((sum, [pid, ticks]) => sum + Math.max(ticks - (earlier.get(pid) ?? 0), 0), 0);
  const seconds = Math.max(now.at - before.at, 1) / 1000;
  return serviceVerdict(check, (spent / TICKS_PER_SECOND / seconds) * 100, main);
}

function serviceVerdict(
  check: CheckConfig<'cpu'>,
  percent: number,
  { pid, tree }: { pid: number; tree: unknown[] },
): Measurement {
  const value = tenth(percent);
  const facts = { used_percent: value, pid, processes: tree.length };
  return judge({ value, unit: '%', summary: `${value} % of one core in use, pid ${pid}`, facts }, check.settings);
}
