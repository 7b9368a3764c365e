import type { ActionRecord, Incident, TimelineEntry } from '../../incidents/incident.ts';
import { reportMarkdown } from '../../incidents/markdown.ts';
import { incidentReport } from '../../incidents/report.ts';
import { clockTime, dateTime, field, fold, shorten, span, stateWord, type Terminal, zone } from '../terminal.ts';
import { configFor, numberIn, requireIncident, storeFor, type Verb } from '../verb.ts';

/** One incident with its cause, evidence, actions and timeline; `--json` and `--markdown` give the report. */
const show: Verb = async (context) => {
  const { terminal, options } = context;
  const id = numberIn(context.arguments[0], 'an incident');
  const config = await configFor(context);
  const store = await storeFor(context, config, { readOnly: true });
  const incident = requireIncident(store, id);
  const timeline = store.incidents.timeline(id);
  const actions = store.actions.of(id);
  store.close();
  if (options.json || options.markdown) {
    const report = incidentReport(incident, timeline, actions);
    terminal.line(options.json ? JSON.stringify(report, null, 2) : reportMarkdown(report).trimEnd());
    return 0;
  }
  showHead(terminal, incident);
  showDiagnosis(terminal, incident);
  for (const action of actions) field(terminal, 'action', actionWords(action));
  if (incident.resolution) field(terminal, 'ended by', incident.resolution);
  terminal.line();
  for (const entry of timeline) showEntry(terminal, entry);
  terminal.line();
  const advice = incident.diagnosis?.advice;
  if (incident.state !== 'resolved' && advice) field(terminal, 'do now', advice);
  const next =
    incident.state === 'resolved'
      ? `show ${id} --markdown`
      : `fix ${incident.service} --dry-run · nightshift resolve ${id} --by "..."`;
  terminal.line(`next  nightshift ${next}`);
  return 0;
};
export default show;

function showHead(terminal: Terminal, incident: Incident): void {
  const { id, title, state, severity, since, resolvedAt, resolvedBy } = incident;
  const lines = terminal.interactive ? fold(`#${id} ${title}`, terminal.width) : [`#${id} ${title}`];
  for (const line of lines) terminal.line(terminal.style('bold', line));
  const by = resolvedBy ? ` by ${resolvedBy}` : '';
  terminal.line(`${terminal.style('dim', 'state'.padEnd(10))}${stateWord(terminal, state)}${by} · ${severity}`);
  const lasted = resolvedAt === null ? `for ${span(Date.now() - since)}` : `lasted ${span(resolvedAt - since)}`;
  field(terminal, 'since', `${dateTime(since)} ${zone()}, ${lasted}`);
}

function showDiagnosis(terminal: Terminal, { diagnosis }: Incident): void {
  if (!diagnosis) return;
  field(terminal, 'cause', diagnosis.rootCause);
  if (diagnosis.source !== 'none') {
    const source = diagnosis.sourceName ? `${diagnosis.source} ${diagnosis.sourceName}` : diagnosis.source;
    field(terminal, '', `${source} · confidence ${Math.round(diagnosis.confidence * 100)} %`);
  }
  for (const [index, { title, quote, verified }] of diagnosis.evidence.slice(0, 8).entries()) {
    const guess = verified ? '' : '  (a guess: not found in what was measured)';
    field(terminal, index === 0 ? 'evidence' : '', `${title}  "${shorten(quote, 160)}"${guess}`);
  }
  if (diagnosis.notChecked.length > 0) field(terminal, 'unchecked', diagnosis.notChecked.join('; '));
}

function actionWords({ tool, service, risk, by, state, held, undo }: ActionRecord): string {
  const fate = held === null ? 'not proven yet' : held ? 'held' : 'did not hold';
  const what = service === null ? tool : `${tool} ${service}`;
  return `${what} · ${risk} · by ${by} · ${state}${state === 'succeeded' ? `, ${fate}` : ''} · undo: ${undo}`;
}

/** The time, what kind of entry, and its text in a column of its own. */
function showEntry(terminal: Terminal, { at, type, text }: TimelineEntry): void {
  field(terminal, `${clockTime(at)}  ${type}`, text, 24);
}
