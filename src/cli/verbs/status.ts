import type { Service } from '../../config/schema.ts';
import { killSwitchIn } from '../../guard/kill-switch.ts';
import type { CheckResult, Verdict } from '../../health/check.ts';
import type { Store, Uptime } from '../../store/store.ts';
import { watchHolder } from '../../store/watch-lock.ts';
import { clockTime, isoTime, shorten, span, stateWord, type Terminal, zone } from '../terminal.ts';
import { configFor, storeFor, type Verb } from '../verb.ts';

const ORDER: Verdict[] = ['critical', 'warn', 'unknown', 'ok'];

/** How things were at the last measurement, what is open, and uptime. It measures nothing itself. */
const status: Verb = async (context) => {
  const { terminal } = context;
  const config = await configFor(context);
  const store = await storeFor(context, config, { readOnly: true });
  const results = store.health.latest().filter((result) => config.services.has(result.service));
  const open = store.incidents.unresolved();
  const stopped = killSwitchIn(config.stateFolder);
  const watcher = watchHolder(config.stateFolder);
  const shown = [...config.services.values()].filter((service) => !service.machine || service.checks.length > 0);
  const services = shown.map((service) => stateOf(service, results, store));
  const measuredAt = results.length > 0 ? Math.max(...results.map((result) => result.at)) : null;
  store.close();
  const exitCode = services.some(({ verdict }) => verdict === 'critical' || verdict === 'warn') ? 1 : 0;

  if (context.options.json) {
    const incidents = open.map(({ id, state, severity, service, title, since }) => ({
      incident_id: id,
      state,
      severity,
      service,
      title,
      since: isoTime(since),
    }));
    const report = {
      name: config.name,
      config: config.file,
      mode: config.mode,
      measured_at: measuredAt === null ? null : isoTime(measuredAt),
      watch_pid: watcher,
      stopped,
      services,
      incidents,
    };
    terminal.line(JSON.stringify(report, null, 2));
    return exitCode;
  }
  const measured =
    measuredAt === null
      ? 'never measured'
      : `measured ${clockTime(measuredAt)} ${zone()}, ${span(Date.now() - measuredAt)} ago`;
  const name = config.file === null ? 'no nightshift.yaml' : config.name;
  terminal.line(`${name} · ${config.mode} · ${measured} · ${watcher ? `watch runs, pid ${watcher}` : 'no watch runs'}`);
  if (stopped)
    terminal.line(terminal.style('yellow', `STOP is in ${config.stateFolder}: nothing is done until it is removed`));
  terminal.line();
  const width = Math.max(...services.map((service) => service.name.length), 7);
  for (const service of services) showService(terminal, service, width);
  if (open.length > 0) terminal.line();
  for (const { id, state, title, since } of open) {
    const line = `#${id} ${title}, since ${clockTime(since)}`;
    terminal.line(
      `${stateWord(terminal, state, 11)}${terminal.interactive ? shorten(line, terminal.width - 11) : line}`,
    );
  }
  terminal.line();
  if (results.length === 0) terminal.line('next  nightshift watch');
  else terminal.line(open[0] ? `next  nightshift show ${open[0].id}` : 'next  nightshift incidents');
  return exitCode;
};
export default status;

type Shown = ReturnType<typeof stateOf>;

function stateOf(service: Service, results: CheckResult[], store: Store) {
  const own = results.filter((result) => result.service === service.name);
  const verdict = ORDER.find((each) => own.some((result) => result.verdict === each)) ?? 'unknown';
  const telling = own.filter((result) => result.verdict === verdict);
  const words = telling.map((result) => `${result.check.slice(service.name.length + 1)} ${result.summary}`).join(' · ');
  const summary = words || (service.checks.length === 0 ? 'it has no checks' : 'not measured yet');
  return { name: service.name, machine: service.machine, verdict, summary, uptime: store.health.uptime(service.name) };
}

function showService(terminal: Terminal, { name, machine, verdict, summary, uptime }: Shown, width: number): void {
  const room = terminal.interactive ? Math.max(terminal.width - width - 12, 30) : 400;
  terminal.line(`${stateWord(terminal, verdict, 9)} ${name.padEnd(width)}  ${shorten(summary, room)}`);
  const up = machine ? '' : uptimeWords(uptime);
  if (up) terminal.line(`${' '.repeat(width + 12)}${terminal.style('dim', up)}`);
}

/** Over the time that was measured; nothing where none was. */
function uptimeWords({ day, week, month }: Uptime): string {
  const spans: [share: number | null, name: string][] = [
    [day, 'day'],
    [week, 'week'],
    [month, 'month'],
  ];
  const known = spans.flatMap(([share, name]) => (share === null ? [] : [`${percent(share)} ${name}`]));
  return known.length === 0 ? '' : `up ${known.join(' · ')}`;
}

/** Cut, not rounded: 100 % means that it was never down. */
const percent = (share: number): string =>
  share >= 1 ? '100 %' : `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;
