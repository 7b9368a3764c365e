/** What varies in a line: `n` a number, else what it looks like. */
export interface Slot {
  kind: string;
  value: string;
}

interface LineTime {
  start: number;
  end: number;
  /** The clock time as the line says it: `14:30:58`. */
  text: string;
  /** Milliseconds since the epoch; null when the line does not say its year. */
  at: number | null;
}

const isoTime = /(\d{4})[-/](\d{2})[-/](\d{2})[T ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9}))?\s?(Z|[+-]\d{2}:?\d{2})?/;
const syslogTime = /^[A-Z][a-z]{2} [ \d]\d (\d{2}:\d{2}:\d{2})(?:\.\d+)?/;
const accessTime = /(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}:\d{2}:\d{2}) ([+-]\d{4})/;
const epochTime = /"(?:time|ts|timestamp)":\s?(\d{10})(\d{3})?(?:\.\d+)?/;
const bareTime = /^\[?(\d{2}:\d{2}:\d{2})(?:[.,]\d+)?\]?(?=\s)/;
/** Where a time may begin at the latest: one further on is content. */
const LATEST = 120;

/** The time a line says of itself, if it does. */
export function timeOf(line: string): LineTime | null {
  const head = line.length > LATEST * 2 ? line.slice(0, LATEST * 2) : line;
  if (!/\d{2}:\d{2}|\d{10}/.test(head)) return null;
  const iso = isoTime.exec(head);
  if (iso && iso.index <= LATEST) {
    const [whole, year, month, day, time, fraction, zone] = iso;
    const written = `${year}-${month}-${day}T${time}.${(fraction ?? '0').slice(0, 3).padEnd(3, '0')}`;
    // Without a zone it is the machine's own time.
    const at = Date.parse(`${written}${zone ? zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2') : ''}`);
    return span(iso.index, whole, time ?? '', Number.isNaN(at) ? null : at);
  }
  const syslog = syslogTime.exec(head);
  if (syslog) return span(0, syslog[0], syslog[1] ?? '', null);
  const access = accessTime.exec(head);
  if (access && access.index <= LATEST) {
    const at = Date.parse(`${access[1]} ${access[2]} ${access[3]} ${access[4]} ${access[5]}`);
    return span(access.index, access[0], access[4] ?? '', Number.isNaN(at) ? null : at);
  }
  const epoch = epochTime.exec(head);
  if (epoch) {
    const at = Number(epoch[1]) * 1000 + Number(epoch[2] ?? 0);
    const value = epoch[0].indexOf(':') + 1;
    const text = new Date(at).toISOString().slice(11, 19);
    return { start: epoch.index + value, end: epoch.index + epoch[0].length, text: `${text}Z`, at };
  }
  const bare = bareTime.exec(head);
  return bare ? span(0, bare[0], bare[1] ?? '', null) : null;
}

const span = (start: number, whole: string, text: string, at: number | null): LineTime => ({
  start,
  end: start + whole.length,
  text,
  at,
});

const WORD = 1;
const DIGIT = 2;
/** What a word is made of; everything else stands between words. */
const classes = new Uint8Array(128);
for (const character of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-.:@+')
  classes[character.charCodeAt(0)] = WORD;
for (const character of '0123456789') classes[character.charCodeAt(0)] = DIGIT;

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const dateOrTime = /^(\d{4}-\d{2}-\d{2})?T?(\d{2}:\d{2}:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$/;
const address = /^(\d{1,3}(?:\.\d{1,3}){3})(:)?(\d{1,5})?$/;
const mail = /^[\w.+-]+@[\w-]+(\.[\w-]+)+$/;
const hexadecimal = /^(0x[0-9a-f]+|[0-9a-f]{7,})$/i;
const mixed = /^(?=.*[A-Za-z])[A-Za-z0-9_-]{12,}$/;
const LONG_NUMBER = 9;

/**
 * A line as its fixed text and its slots, and the key that all lines of its kind share. It walks the line once; a hostile
 * line costs no more than its length.
 */
export function maskLine(given: string, longest: number): { key: string; parts: (string | Slot)[] } {
  const line = given.length > longest ? `${given.slice(0, longest)}…` : given;
  const parts: (string | Slot)[] = [];
  let key = '';
  let fixedFrom = 0;
  const slot = (start: number, end: number, kind: string, keyKind = kind) => {
    const fixed = line.slice(fixedFrom, start);
    parts.push(fixed, { kind, value: line.slice(start, end) });
    key += `${fixed}\u0000${keyKind}`;
    fixedFrom = end;
  };

  for (let position = 0; position < line.length; ) {
    if (classOf(line, position) === 0) {
      position += 1;
      continue;
    }
    let start = position;
    let digits = false;
    for (let kind = classOf(line, position); kind !== 0; kind = classOf(line, position)) {
      if (kind === DIGIT) digits = true;
      position += 1;
    }
    if (!digits) continue;
    let end = position;
    while (end > start && '.:-@+'.includes(line[end - 1] ?? '')) end -= 1;
    while (start < end && '.:@+'.includes(line[start] ?? '')) start += 1;
    maskWord(line.slice(start, end), start, slot);
  }
  const rest = line.slice(fixedFrom);
  parts.push(rest);
  return { key: key + rest, parts };
}

const classOf = (line: string, position: number): number => classes[line.charCodeAt(position)] ?? 0;

/** Ids of all shapes and long numbers share a kind in the key: one counter may come as each of them. */
function maskWord(
  word: string,
  start: number,
  slot: (start: number, end: number, kind: string, keyKind?: string) => void,
): void {
  const end = start + word.length;
  const at = address.exec(word);
  if (at) {
    const port = start + (at[1]?.length ?? 0) + 1;
    slot(start, port - 1, 'ip');
    if (at[3]) slot(port, end, 'n');
  } else if (dateOrTime.test(word)) slot(start, end, 'time');
  else if (/^\d+$/.test(word)) slot(start, end, 'n', word.length >= LONG_NUMBER ? 'id' : 'n');
  else if (uuid.test(word) || hexadecimal.test(word)) slot(start, end, 'id');
  else if (mail.test(word)) slot(start, end, 'mail');
  else if (mixed.test(word) && (word.match(/\d/g)?.length ?? 0) >= 3) slot(start, end, 'id');
  else {
    for (const number of word.matchAll(/\d+(?:\.\d+)?/g)) {
      slot(start + number.index, start + number.index + number[0].length, 'n');
    }
  }
}
