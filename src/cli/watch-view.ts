import type { Incident, TimelineEntry } from '../incidents/incident.ts';
import type { WatchEvent } from '../agent/watch-events.ts';
import { clockTime, shorten, span, stateWord, type Terminal } from './terminal.ts';

/** Shows a running watch: one short line per thing that a person would want to know, in the order it happened. */
export function createWatchView(terminal: Terminal): (event: WatchEvent) => void {
  let lastHeading = -1;
  let quietLine = false;
  let lastSummary = '';

  /** On a terminal the quiet report line is redrawn in place; anything else starts a new line. */
  const settle = () => {
    if (quietLine && terminal.interactive) terminal.line();
    quietLine = false;
  };
  const heading = (at: number, incident: Incident, word: string, text: string) => {
    settle();
    lastHeading = incident.id;
    terminal.line(`${clockTime(at)}  ${stateWord(terminal, word, 9)} #${incident.id} ${text}`);
  };
  const detail = (entry: TimelineEntry, incident: Incident, label: string, text: string, right = '') => {
    settle();
    const own = lastHeading === incident.id ? '' : `#${incident.id} `;
    lastHeading = incident.id;
    const room = Math.max(terminal.width - 20 - right.length - 2, 40);
    const shown = shorten(`${own}${text}`, terminal.interactive ? room : 400);
    terminal.line(`${' '.repeat(10)}${terminal.style('dim', label.padEnd(10))}${shown}${right ? `  ${terminal.style('dim', right)}` : ''}`);
    if (entry.type === 'diagnosis') for (const line of evidenceLines(entry)) terminal.line(`${' '.repeat(10)}${line}`);
  };

  const timeline = ({ entry, incident }: Extract<WatchEvent, { type: 'timeline' }>) => {
    switch (entry.type) {
      case 'opened':
        return heading(entry.at, incident, 'INCIDENT', `${entry.text}, since ${clockTime(incident.since)}   ${incident.severity}`);
      case 'resolved':
        return heading(entry.at, incident, 'resolved', `in ${span(entry.at - incident.since)}: ${entry.text}${modelWords(incident)}   nightshift show ${incident.id}`);
      case 'escalated':
        heading(entry.at, incident, 'ESCALATED', `${incident.title}: ${entry.text}`);
        return detail(entry, incident, 'do now', String(entry.data.advice ?? `nightshift show ${incident.id}`));
      case 'asked':
        heading(entry.at, incident, 'ASKS', entry.text);
        return detail(entry, incident, 'answer', `nightshift approve A${String(entry.data.approval)} · nightshift deny A${String(entry.data.approval)} --because "..."`);
      case 'reopened':
        return heading(entry.at, incident, 'REOPENED', entry.text);
      case 'diagnosis': {
        const { diagnosis } = incident;
        return detail(entry, incident, 'cause', entry.text, diagnosis ? `${diagnosis.source}${diagnosis.sourceName ? `: ${diagnosis.sourceName}` : ''}` : '');
      }
      case 'action-start':
        return detail(entry, incident, 'act', entry.text, `${String(entry.data.risk)}, undo: ${String(entry.data.undo)}`);
      case 'action-end':
        return entry.data.ok === true ? undefined : detail(entry, incident, 'failed', entry.text);
      case 'holding':
        return detail(entry, incident, 'verify', entry.text);
      case 'plan':
        return detail(entry, incident, 'why', entry.text);
      case 'facts':
        return undefined;
      default:
        return detail(entry, incident, entry.type, entry.text);
    }
  };

  return (event) => {
    switch (event.type) {
      case 'watch-start':
      case 'watch-end':
        return;
      case 'report': {
        const { counts } = event.report;
        const total = event.report.results.length;
        const summary = `${counts.ok} of ${total} checks${counts.unknown > 0 ? ` (${counts.unknown} cannot be measured)` : ''}`;
        const word = counts.critical > 0 ? 'critical' : counts.warn > 0 ? 'warn' : 'ok';
        if (!terminal.interactive && summary === lastSummary) return;
        if (terminal.interactive && quietLine) terminal.write('\r\u001b[2K');
        else if (summary === lastSummary && lastHeading !== -1) return;
        lastSummary = summary;
        const text = `${clockTime(event.report.at)}  ${stateWord(terminal, word, 9)} ${summary}`;
        if (terminal.interactive) terminal.write(text);
        else terminal.line(text);
        quietLine = terminal.interactive;
        lastHeading = quietLine ? lastHeading : -1;
        return;
      }
      case 'timeline':
        return timeline(event);
      case 'agent':
        if (event.event.type === 'tool-start') {
          settle();
          terminal.line(`${' '.repeat(10)}${terminal.style('dim', 'looks at'.padEnd(10))}${shorten(event.event.title, 100)}`);
        } else if (event.event.type === 'provider-failed') {
          settle();
          terminal.line(`${' '.repeat(10)}${terminal.style('dim', 'model'.padEnd(10))}${event.event.provider}: ${shorten(event.event.message, 120)}`);
        }
        return;
      case 'warning':
      case 'config-changed':
        settle();
        terminal.line(`${clockTime(event.at)}  ${terminal.style('yellow', event.type === 'warning' ? 'warning  ' : 'config   ')} ${event.text}`);
        return;
    }
  };
}

const modelWords = (incident: Incident): string => (incident.modelTokens > 0 ? `, ${incident.modelTokens} tokens` : ', no model used');

function evidenceLines(entry: TimelineEntry): string[] {
  const diagnosis = entry.data.diagnosis as Incident['diagnosis'];
  return (diagnosis?.evidence ?? []).slice(0, 3).map(
    (item, index) => `${(index === 0 ? 'evidence' : '').padEnd(10)}${shorten(`${item.title}  "${item.quote}"`, 100)}${item.verified ? '' : ' (a guess)'}`,
  );
}
