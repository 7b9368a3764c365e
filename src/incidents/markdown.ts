import type { IncidentReport } from './report.ts';

/** The report as a page to read with the first coffee: what happened, how long, why, what was done, what keeps it away. */
export function reportMarkdown(report: IncidentReport, options: { timeZone?: string } = {}): string {
  const time = localTime(options.timeZone);
  const sections = [
    `# #${report.incident_id} ${line(report.title)}`,
    summary(report, time),
    section('Cause', cause(report)),
    section('What was done', done(report, time)),
    section('What keeps it from coming back', prevention(report)),
    section('Timeline', timeline(report, time)),
  ];
  return `${sections.join('\n\n')}\n`;
}

interface LocalTime {
  zone: string;
  clock(iso: string): string;
  dateTime(iso: string): string;
}

function summary(report: IncidentReport, time: LocalTime): string {
  const length = words(report.duration_seconds);
  const failing = report.checks.map((check) => `\`${check.check}\``);
  const impact =
    report.resolved_at === null
      ? `It has lasted ${length} so far.`
      : `It lasted ${length}, until ${time.dateTime(report.resolved_at)}.`;
  const affected =
    failing.length === 0
      ? ''
      : ` ${failing.length === 1 ? 'Affected check' : 'Affected checks'}: ${failing.join(', ')}.`;
  return [
    `**${state(report)}** · severity ${report.severity} · service \`${report.service}\` · all times ${time.zone}`,
    `It began on ${time.dateTime(report.failing_since)} and was opened as an incident at ${time.clock(report.opened_at)}. ${impact}${affected}`,
    ...(report.escalated && report.escalation_reason
      ? [
          `A person was told${report.escalated_at ? ` at ${time.clock(report.escalated_at)}` : ''}: ${line(report.escalation_reason)}`,
        ]
      : []),
  ].join('\n\n');
}

const RESOLVERS = { nightshift: 'Resolved by Nightshift', person: 'Resolved by a person', itself: 'Ended by itself' };

function state(report: IncidentReport): string {
  if (report.state === 'resolved') return report.resolved_by ? RESOLVERS[report.resolved_by] : 'Resolved';
  if (report.state === 'escalated') return 'Handed over to a person';
  return report.state === 'awaiting' ? 'Waiting for an approval' : `Not resolved yet (${report.state})`;
}

function cause(report: IncidentReport): string {
  if (report.root_cause === null) return 'Not known yet.';
  const sure = report.confidence === null ? '' : `, ${Math.round(report.confidence * 100)} % sure`;
  const by = report.diagnosed_by ? `found by ${report.diagnosed_by}${sure}` : 'the evidence was not enough for more';
  const model = report.model_used ? `model used: ${report.model_used}` : 'no model used';
  const evidence = report.evidence.map(
    (item) =>
      `- ${line(item.title)}${item.verified ? '' : ' (a guess: the quote was not found there)'}\n${quoted(item.quote)}`,
  );
  const unchecked = report.not_checked.length === 0 ? [] : [`Not checked: ${report.not_checked.map(line).join('; ')}.`];
  return [
    `${line(report.root_cause)} (${by}; ${model})`,
    ...(evidence.length > 0 ? [evidence.join('\n')] : []),
    ...unchecked,
  ].join('\n\n');
}

function done(report: IncidentReport, time: LocalTime): string {
  const actions = report.actions.map((action) => {
    const undo = action.undo === 'none needed' ? 'nothing to undo' : `undo: ${line(action.undo)}`;
    const outcome = action.outcome ? `: ${line(action.outcome)}` : '';
    return `- ${time.clock(action.at)} **${line(action.action)}** (${action.risk}, by ${line(action.by)}; ${undo}). ${fate(action)}${outcome}`;
  });
  const again =
    report.reopened === 0 ? [] : [`A fix did not hold ${report.reopened === 1 ? 'once' : `${report.reopened} times`}.`];
  const resolution = report.resolution ? [`In the end: ${line(report.resolution)}`] : [];
  if (actions.length === 0) return ['Nothing was changed by Nightshift.', ...resolution].join('\n\n');
  return [actions.join('\n'), ...again, ...resolution].join('\n\n');
}

function fate(action: IncidentReport['actions'][number]): string {
  if (action.state === 'succeeded' && action.held === true) return 'It held';
  if (action.state === 'succeeded' && action.held === false) return 'It ran, and did not hold';
  const states = {
    succeeded: 'It ran; whether it holds is not known yet',
    failed: 'It failed',
    intended: 'It is under way',
    unknown: 'It was interrupted',
    refused: 'It was refused',
  };
  return states[action.state];
}

const prevention = (report: IncidentReport): string =>
  report.prevention === null
    ? 'Nothing is known to prevent it: the cause has to be found first.'
    : line(report.prevention);

function timeline(report: IncidentReport, time: LocalTime): string {
  if (report.timeline.length === 0) return 'Empty.';
  let day = '';
  const rows = report.timeline.map((entry) => {
    const full = time.dateTime(entry.at);
    // The date stands only where it changes.
    const shown = full.slice(0, 10) === day ? time.clock(entry.at) : full;
    day = full.slice(0, 10);
    return `| ${shown} | ${entry.type} | ${cell(entry.text)} |`;
  });
  return ['| time | what | |', '|---|---|---|', ...rows].join('\n');
}

const section = (title: string, text: string): string => `## ${title}\n\n${text}`;

/** Text from outside on one line, where it can be neither a heading nor a link nor HTML. */
const line = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[\\`*_[\]<>#|]/g, '\\$&');

const cell = (text: string): string => {
  const short = text.replace(/\s+/g, ' ').trim();
  return line(short.length > 300 ? `${short.slice(0, 299)}…` : short);
};

/** A quote as a code block that its own backticks cannot end. */
function quoted(text: string): string {
  const fence = '`'.repeat(Math.max(3, ...(text.match(/`+/g) ?? []).map((run) => run.length + 1)));
  const body = text.replace(/\r\n?/g, '\n').split('\n').slice(0, 20);
  return [fence, ...body, fence].map((each) => `  ${each}`).join('\n');
}

/** `37 s`, `4 min 5 s`, `2 h 10 min`, `3 d 4 h`. */
function words(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

function localTime(timeZone: string | undefined): LocalTime {
  // Swedish writes dates as ISO 8601 does.
  const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat('sv-SE', { timeZone, ...options });
  const clock = format({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const dateTime = format({
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  return {
    zone: timeZone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone,
    clock: (iso) => clock.format(new Date(iso)),
    dateTime: (iso) => dateTime.format(new Date(iso)),
  };
}
