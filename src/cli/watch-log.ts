import { existsSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { WatchEvent } from '../agent/watch-events.ts';

const MOST_BYTES = 10 * 1024 * 1024;
const TURN_AFTER = 1000;

/** The watch's own log, one JSON object a line, in STATE/nightshift.log; the one before it is kept as `.1`. */
export async function createWatchLog(folder: string): Promise<{ take(event: WatchEvent): void; close(): void }> {
  const { destination: openFile, pino, stdTimeFunctions } = await import('pino');
  const file = join(folder, 'nightshift.log');
  const turn = () => {
    if (existsSync(file) && statSync(file).size > MOST_BYTES) renameSync(file, `${file}.1`);
  };
  turn();
  const destination = openFile({ dest: file, mkdir: true, sync: true, mode: 0o600 });
  // A full disk must not end the watch: what cannot be logged is still in the store and on the terminal.
  destination.on('error', () => undefined);
  const logger = pino(
    { base: null, timestamp: stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } },
    destination,
  );
  let written = 0;
  return {
    take(event) {
      const fields = fieldsOf(event);
      if (fields === null) return;
      logger[event.type === 'warning' ? 'warn' : 'info'](fields);
      written += 1;
      if (written % TURN_AFTER !== 0) return;
      turn();
      destination.reopen(file);
    },
    close: () => destination.end(),
  };
}

/** What is kept of an event; null for what repeats itself, and for pieces of a text that comes whole later. */
function fieldsOf(event: WatchEvent): Record<string, unknown> | null {
  switch (event.type) {
    case 'report':
      return event.changed ? { event: 'report', counts: event.report.counts } : null;
    case 'timeline': {
      const { entry, incident } = event;
      return {
        event: entry.type,
        incident: incident.id,
        service: incident.service,
        state: incident.state,
        msg: entry.text,
      };
    }
    case 'agent': {
      const { type } = event.event;
      if (type.endsWith('-delta')) return null;
      return { event: type, incident: event.incident, ...('tool' in event.event ? { tool: event.event.tool } : {}) };
    }
    case 'warning':
    case 'config-changed':
      return { event: event.type, msg: event.text };
    case 'watch-start':
    case 'watch-end':
      return { event: event.type };
  }
}
