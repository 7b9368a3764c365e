import type { Verdict } from '../../health/check.ts';
import { watchHolder } from '../../store/watch-lock.ts';
import { clockTime, shorten, span, stateWord, zone } from '../terminal.ts';
import { configFor, storeFor, type Verb } from '../verb.ts';

const ORDER: Verdict[] = ['critical', 'warn', 'unknown', 'ok'];

/** How things were at the last measurement, what is open, and uptime. It measures nothing itself. */
const status: Verb = async (context) => {
  const { terminal } = context;
  const config = await configFor(context);
  const store = await storeFor(context, config, { readOnly: true });
  const results = store.health.latest();
  const open = store.incidents.unresolved();
  const watcher = watchHolder(config.stateFolder);
  const services = [...config.services.values()].map((service) => {
    const own = results.filter((result) => result.service === service.name);
    const verdict = ORDER.find((each) => own.some((result) => result.verdict === each)) ?? 'unknown';
    const telling = own.filter((result) => result.verdict === verdict);
    const words = telling.map((result) => `${result.check.slice(service.name.length + 1)} ${result.summary}`).join(' · ');
    return { name: service.name, machine: service.machine, verdict, summary: words || 'not measured yet', uptime: store.health.uptime(service.name) };
  });
  const measuredAt = results.length > 0 ? Math.max(...results.map((result) => result.at)) : null;
  store.close();

  if (context.options.json) {
    const shown = open.map(({ id, state, severity, service, title, since }) => ({ id, state, severity, service, title, since: new Date(since).toISOString() }));
    terminal.line(JSON.stringify({
      name: config.name, mode: config.mode, measured_at: measuredAt === null ? null : new Date(measuredAt).toISOString(),
      watch_pid: watcher, services, incidents: shown,
    }, null, 2));
    return services.some((service) => service.verdict === 'critical' || service.verdict === 'warn') ? 1 : 0;
  }
  const measured = measuredAt === null ? 'never measured' : `measured ${clockTime(measuredAt)} ${zone()}, ${span(Date.now() - measuredAt)} ago`;
  terminal.line(`${config.name} · ${config.mode} · ${measured} · ${watcher ? `watch runs, pid ${watcher}` : 'no watch runs'}`);
  terminal.line();
  const width = Math.max(...services.map((service) => service.name.length), 7);
  for (const service of services) {
    const up = service.uptime;
    const uptime = service.machine ? '' : `up ${percent(up.day)} day · ${percent(up.week)} week · ${percent(up.month)} month`;
    const room = Math.max(terminal.width - width - 12, 30);
    terminal.line(`${stateWord(terminal, service.verdict, 9)} ${service.name.padEnd(width)}  ${shorten(service.summary, room)}`);
    if (uptime) terminal.line(`${' '.repeat(width + 12)}${terminal.style('dim', uptime)}`);
  }
  if (open.length > 0) terminal.line();
  for (const incident of open) {
    terminal.line(`${stateWord(terminal, incident.state, 10)} #${incident.id} ${incident.title}, since ${clockTime(incident.since)}`);
  }
  terminal.line();
  if (results.length === 0) terminal.line('next  nightshift watch');
  else terminal.line(open[0] ? `next  nightshift show ${open[0].id}` : 'next  nightshift incidents');
  return services.some((service) => service.verdict === 'critical' || service.verdict === 'warn') ? 1 : 0;
};
export default status;

const percent = (share: number | null): string => (share === null ? '–' : `${(share * 100).toFixed(share > 0.9999 ? 0 : 2)} %`);
