import { incidentReport } from '../../incidents/report.ts';
import { reportMarkdown } from '../../incidents/markdown.ts';
import { clockTime, dateTime, span, stateWord, zone } from '../terminal.ts';
import { CannotRun, configFor, numberIn, storeFor, type Verb } from '../verb.ts';

/** One incident with its cause, evidence, actions and timeline; `--json` and `--markdown` give the report. */
const show: Verb = async (context) => {
  const { terminal, options } = context;
  const config = await configFor(context);
  const store = await storeFor(context, config, { readOnly: true });
  const id = numberIn(context.arguments[0], 'an incident');
  const incident = store.incidents.get(id);
  if (incident === null) throw new CannotRun(`there is no incident #${id}: nightshift incidents lists them`);
  const timeline = store.incidents.timeline(id);
  const actions = store.actions.of(id);
  store.close();
  if (options.json || options.markdown) {
    const report = incidentReport(incident, timeline, actions);
    terminal.line(options.json ? JSON.stringify(report, null, 2) : reportMarkdown(report));
    return 0;
  }
  const label = (word: string) => terminal.style('dim', word.padEnd(10));
  terminal.line(`#${id} ${terminal.style('bold', incident.title)}`);
  const until = incident.resolvedAt ?? Date.now();
  terminal.line(`${label('state')}${stateWord(terminal, incident.state)} · ${incident.severity} · since ${dateTime(incident.since)} ${zone()}, ${span(until - incident.since)}${incident.resolvedBy ? ` · resolved by ${incident.resolvedBy}` : ''}`);
  const { diagnosis } = incident;
  if (diagnosis) {
    terminal.line(`${label('cause')}${diagnosis.rootCause}`);
    terminal.line(`${label('')}${diagnosis.source}${diagnosis.sourceName ? ` ${diagnosis.sourceName}` : ''} · confidence ${Math.round(diagnosis.confidence * 100)} %`);
    for (const [index, item] of diagnosis.evidence.slice(0, 8).entries()) {
      terminal.line(`${label(index === 0 ? 'evidence' : '')}${item.title}  "${item.quote.slice(0, 120)}"${item.verified ? '' : '  (a guess: not found in what was measured)'}`);
    }
    if (diagnosis.notChecked.length > 0) terminal.line(`${label('unchecked')}${diagnosis.notChecked.join('; ')}`);
  }
  for (const action of actions) {
    const held = action.held === null ? 'not proven yet' : action.held ? 'held' : 'did not hold';
    terminal.line(`${label('action')}${action.tool} ${action.service ?? ''} · ${action.risk} · by ${action.by} · ${action.state}${action.state === 'succeeded' ? `, ${held}` : ''} · undo: ${action.undo}`);
  }
  if (incident.resolution) terminal.line(`${label('resolution')}${incident.resolution}`);
  terminal.line();
  for (const entry of timeline) terminal.line(`${clockTime(entry.at)}  ${terminal.style('dim', entry.type.padEnd(12))} ${entry.text}`);
  terminal.line();
  if (incident.state !== 'resolved') terminal.line(`next  nightshift resolve ${id} --by "..." · ${diagnosis?.advice ?? `nightshift fix ${incident.service} --dry-run`}`);
  else terminal.line(`next  nightshift show ${id} --markdown`);
  return 0;
};
export default show;
