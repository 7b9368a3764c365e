import { dateTime, stateWord, table, zone } from '../terminal.ts';
import { configFor, storeFor, type Verb } from '../verb.ts';

/** The latest incidents, newest first. */
const incidents: Verb = async (context) => {
  const { terminal, options } = context;
  const config = await configFor(context);
  const store = await storeFor(context, config, { readOnly: true });
  const limit = Math.max(1, Number(options.limit) || 20);
  const list = options.open ? store.incidents.unresolved().slice(-limit).reverse() : store.incidents.list({ limit });
  store.close();
  if (options.json) {
    terminal.line(JSON.stringify(list.map((incident) => ({
      incident_id: incident.id, state: incident.state, severity: incident.severity, service: incident.service, title: incident.title,
      since: new Date(incident.since).toISOString(), opened_at: new Date(incident.openedAt).toISOString(),
      resolved_at: incident.resolvedAt === null ? null : new Date(incident.resolvedAt).toISOString(),
      resolved_by: incident.resolvedBy, cause: incident.diagnosis?.cause ?? null, resolution: incident.resolution,
    })), null, 2));
    return 0;
  }
  if (list.length === 0) {
    terminal.line(options.open ? 'nothing is open' : 'no incident so far');
    return 0;
  }
  table(
    terminal,
    list.map((incident) => [
      `#${incident.id}`, incident.state, dateTime(incident.since),
      `${incident.title}${incident.resolution ? ` → ${incident.resolution}` : ''}${incident.resolvedBy ? ` (by ${incident.resolvedBy})` : ''}`,
    ]),
    (cell, column) => (column === 1 ? stateWord(terminal, cell.trim(), cell.length) : cell),
  );
  terminal.line(`times are ${zone()} · next  nightshift show ${list[0]?.id}`);
  return 0;
};
export default incidents;
