import type { WatchEvent } from '../agent/watch-events.ts';
import type { Incident, TimelineEntry, TimelineType } from '../incidents/incident.ts';
import { CLEAR_LINE, clockTime, fold, shorten, span, stateWord, type Terminal } from './terminal.ts';

/** Where the text of a line begins: after the time and the word, or after the label. */
const INDENT = 20;
/** A line in a pipe is not folded, and may be this long. */
const PIPED = 400;

const LABELS: Partial<Record<TimelineType, string>> = {
  'action-start': 'act',
  'action-end': 'failed',
  'not-held': 'not held',
  diagnosis: 'cause',
  holding: 'verify',
  interrupted: 'cut off',
  plan: 'why',
};
/** Beside what has a case of its own: what a person must be able to read to its end. The rest is one line on a terminal. */
const WHOLE: ReadonlySet<TimelineType> = new Set(['refused', 'not-held']);

/** A running watch as a person follows it. */
export interface WatchView {
  take(event: WatchEvent): void;
  /** A line of somebody else's, put where it does not collide with the line that is redrawn. */
  say(text?: string): void;
  /** Leaves the terminal on a fresh line. */
  end(): void;
}

/** Shows a running watch: one short line per thing that a person would want to know, in the order it happened. */
export function createWatchView(terminal: Terminal): WatchView {
  let about = -1;
  /** The report that is shown and will be redrawn, on a terminal. */
  let quiet: { text: string; summary: string; calm: boolean } | null = null;
  let lastSummary = '';

  /** Ends the line that is redrawn. It stays when it says something new and good; else it makes room. */
  const settle = () => {
    if (quiet === null) return;
    if (quiet.calm && quiet.summary !== lastSummary) {
      lastSummary = quiet.summary;
      terminal.line();
    } else terminal.write(CLEAR_LINE);
    quiet = null;
  };

  /** Text in its column, and beside it, at the right edge where there is room, what belongs to it. */
  const entry = (head: string, text: string, right = '', most = 4) => {
    settle();
    const dim = (words: string) => terminal.style('dim', words);
    if (!terminal.interactive) return terminal.line(`${head}${shorten(text, PIPED)}${right && `   ${right}`}`);
    const room = Math.max(terminal.width - INDENT, 20);
    const lines = fold(text, room, most);
    const last = lines.length - 1;
    const beside = right !== '' && (lines[last] ?? '').length + 2 + right.length <= room;
    lines.forEach((line, index) => {
      const edge = beside && index === last ? dim(right.padStart(room - line.length)) : '';
      terminal.line(`${index === 0 ? head : ' '.repeat(INDENT)}${line}${edge}`);
    });
    if (right !== '' && !beside)
      for (const line of fold(right, room)) terminal.line(`${' '.repeat(INDENT)}${dim(line)}`);
  };
  const heading = (at: number, incident: Incident, word: string, text: string, right = '') => {
    about = incident.id;
    entry(`${clockTime(at)}  ${stateWord(terminal, word, 9)} `, `#${incident.id} ${text}`, right);
  };
  const detail = (label: string, text: string, right = '', most = 1) =>
    entry(`${' '.repeat(10)}${terminal.style('dim', label.padEnd(10))}`, text, right, most);
  /** A line under the heading of its incident; where another one stood last, it says which one it is about. */
  const under = (incident: Incident, label: string, text: string, right = '', most = 1) => {
    const own = about === incident.id ? '' : `#${incident.id} `;
    about = incident.id;
    detail(label, own + text, right, most);
  };

  const timeline = (told: TimelineEntry, incident: Incident) => {
    switch (told.type) {
      case 'opened':
        return heading(
          told.at,
          incident,
          'INCIDENT',
          `${told.text}, since ${clockTime(incident.since)}`,
          incident.severity,
        );
      case 'resolved': {
        const text = `in ${span(told.at - incident.since)}: ${told.text}${modelWords(incident)}`;
        return heading(told.at, incident, 'resolved', text, `nightshift show ${incident.id}`);
      }
      case 'escalated':
        heading(told.at, incident, 'ESCALATED', `${incident.title}: ${told.text}`);
        return under(incident, 'do now', String(told.data.advice ?? `nightshift show ${incident.id}`), '', 4);
      case 'asked': {
        const approval = `A${String(told.data.approval)}`;
        heading(told.at, incident, 'ASKS', told.text);
        return under(
          incident,
          'answer',
          `nightshift approve ${approval} · nightshift deny ${approval} --because "..."`,
          '',
          2,
        );
      }
      case 'reopened':
        return heading(told.at, incident, 'REOPENED', told.text);
      case 'diagnosis': {
        under(incident, 'cause', told.text, sourceOf(incident), 4);
        for (const [index, line] of evidenceOf(incident).entries()) detail(index === 0 ? 'evidence' : '', line);
        return;
      }
      case 'action-start':
        return under(incident, 'act', told.text, `${String(told.data.risk)}, undo: ${String(told.data.undo)}`, 4);
      case 'action-end':
        return told.data.ok === true ? undefined : under(incident, 'failed', told.text, '', 4);
      case 'facts':
        return undefined;
      case 'recovered':
        // While it is acted on or held, `verify` says the same and more.
        return ['acting', 'holding'].includes(incident.state) ? undefined : under(incident, 'recovered', told.text);
      default:
        return under(incident, LABELS[told.type] ?? told.type, told.text, '', WHOLE.has(told.type) ? 4 : 1);
    }
  };

  const report = ({ at, counts, results }: Extract<WatchEvent, { type: 'report' }>['report']): void => {
    const unknown = counts.unknown > 0 ? ` (${counts.unknown} cannot be measured)` : '';
    const word = counts.critical > 0 ? 'critical' : counts.warn > 0 ? 'warn' : counts.ok > 0 ? 'ok' : 'unknown';
    const summary = `${word} ${counts.ok} of ${results.length} checks${unknown}`;
    const text = `${clockTime(at)}  ${stateWord(terminal, word, 9)} ${summary.slice(word.length + 1)}`;
    if (!terminal.interactive) {
      if (summary !== lastSummary) terminal.line(text);
      if (summary !== lastSummary) about = -1;
      lastSummary = summary;
      return;
    }
    if (quiet?.text === text) return;
    terminal.write(`${quiet === null ? '' : CLEAR_LINE}${text}`);
    quiet = { text, summary, calm: word === 'ok' };
  };

  return {
    say(text = '') {
      settle();
      about = -1;
      terminal.line(text);
    },
    end() {
      if (quiet !== null) terminal.line();
      quiet = null;
    },
    take: (event) => {
      switch (event.type) {
        case 'watch-start':
        case 'watch-end':
          return;
        case 'report':
          return report(event.report);
        case 'timeline':
          return timeline(event.entry, event.incident);
        case 'agent':
          if (event.event.type === 'tool-start') return detail('looks at', event.event.title);
          if (event.event.type === 'provider-failed')
            return detail('model', `${event.event.provider}: ${event.event.message}`, '', 3);
          return;
        case 'warning':
        case 'config-changed': {
          settle();
          about = -1;
          const word = event.type === 'warning' ? 'warning' : 'config';
          // What is wrong with a configuration is shown as it was laid out, carets and all.
          return terminal.line(`${clockTime(event.at)}  ${stateWord(terminal, word, 9)} ${event.text}`);
        }
      }
    },
  };
}

const modelWords = ({ modelTokens }: Incident): string =>
  modelTokens > 0 ? `, ${modelTokens} tokens` : ', no model used';

function sourceOf({ diagnosis }: Incident): string {
  if (!diagnosis || diagnosis.source === 'none') return '';
  return diagnosis.sourceName === null ? diagnosis.source : `${diagnosis.source}: ${diagnosis.sourceName}`;
}

const evidenceOf = ({ diagnosis }: Incident): string[] =>
  (diagnosis?.evidence ?? [])
    .slice(0, 3)
    .map(({ title, quote, verified }) => `${title}  "${shorten(quote, 160)}"${verified ? '' : ' (a guess)'}`);
