import type { Incident } from '../../incidents/incident.ts';
import { dateTime, isoTime, stateWord, table, zone } from '../terminal.ts';
import { CannotRun, configFor, storeFor, type Verb } from '../verb.ts';

/** The latest incidents, newest first. */
const incidents: Verb = async (context) => {
  const { terminal, options } = context;
  const limit = Number(options.limit ?? 20);
  if (!Number.isInteger(limit) || limit < 1)
    throw new CannotRun(`--limit takes a number from 1 on, not ${JSON.stringify(options.limit)}`);
  const config = await configFor(context);
  const store = await storeFor(context, config, { readOnly: true });
  const list = options.open ? store.incidents.unresolved().slice(-limit).reverse() : store.incidents.list({ limit });
  store.close();
  if (options.json) {
    terminal.line(JSON.stringify(list.map(shown), null, 2));
    return 0;
  }
  const [newest] = list;
  if (!newest) {
    terminal.line(options.open ? 'nothing is open' : 'no incident so far');
    return 0;
  }
  table(
    terminal,
    list.map((incident) => [`#${incident.id}`, incident.state, dateTime(incident.since), inWords(incident)]),
    (cell, column) => (column === 1 ? stateWord(terminal, cell.trim(), cell.length) : cell),
  );
  terminal.line(`times are ${zone()} · next  nightshift show ${newest.id}`);
  return 0;
};
export default incidents;

const inWords = ({ title, resolution, resolvedBy }: Incident): string =>
  `${title}${resolution ? ` → ${resolution}` : ''}${resolvedBy ? ` (by ${resolvedBy})` : ''}`;

const shown = (incident: Incident) => ({
  incident_id: incident.id,
  state: incident.state,
  severity: incident.severity,
  service: incident.service,
  title: incident.title,
  since: isoTime(incident.since),
  opened_at: isoTime(incident.openedAt),
  resolved_at: incident.resolvedAt === null ? null : isoTime(incident.resolvedAt),
  resolved_by: incident.resolvedBy,
  cause: incident.diagnosis?.cause ?? null,
  resolution: incident.resolution,
});
