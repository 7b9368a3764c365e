import { condenseLines } from './condense.ts';
import { charactersFor, estimateTokens } from './context.ts';
import type { ResultRecord } from './evidence.ts';
import { neutralise } from './fence.ts';
import type { LoopTool } from './run.ts';

/** Everything a run has seen, under ids short enough to be quoted. */
export interface Results {
  readonly records: ReadonlyMap<string, ResultRecord>;
  /** The next of `r1`, `r2` …, for a call that begins: calls that run side by side end in another order. */
  take(): string;
  /** Keeps a result; without an id it gets the next. */
  add(record: { id?: string; tool: string; title: string; content: string }): ResultRecord;
  /** As much as a model may see at once, from a position on, with the call that shows more. */
  show(id: string, from?: number): string;
  /** The one line that takes its place when room is needed. */
  brief(id: string, ok: boolean): string;
}

/** Fewer lines than this are not condensed: their own words say more. */
const MANY_LINES = 60;

export function createResults(mostCharacters: number, given: readonly ResultRecord[] = []): Results {
  const records = new Map(given.map((record) => [record.id, record]));
  let count = 0;
  const nextId = () => {
    do count += 1;
    while (records.has(`r${count}`));
    return `r${count}`;
  };

  function show(id: string, from = 0): string {
    const record = records.get(id);
    if (!record) return '';
    const { content } = record;
    if (from === 0 && content.length <= mostCharacters) return content;
    if (from === 0 && record.shown !== undefined) return record.shown;
    const piece = wholeLines(content.slice(from), mostCharacters);
    const end = from + piece.length;
    const left = content.length - end;
    return left > 0 ? `${piece}\n[${left} more characters: read_again {"id":"${id}","from":${end}}]` : piece;
  }

  return {
    records,
    take: nextId,
    add(draft) {
      const content = neutralise(draft.content);
      const record: ResultRecord = { id: draft.id ?? nextId(), tool: draft.tool, title: draft.title, content };
      if (content.length > mostCharacters && lineCount(content) >= MANY_LINES) {
        const condensed = condenseLines(content, {
          budgetTokens: estimateTokens(content.slice(0, mostCharacters - 200)),
        });
        if (condensed.text.length <= charactersFor(estimateTokens(content.slice(0, mostCharacters)))) {
          record.shown =
            `${condensed.lines} lines -> ${condensed.patterns} patterns\n${condensed.text}\n` +
            `[as it was written: read_again {"id":"${record.id}","from":1}]`;
        }
      }
      records.set(record.id, record);
      return record;
    },
    show,
    brief(id, ok) {
      const record = records.get(id);
      const start = record?.content.split('\n', 1)[0]?.slice(0, 100) ?? '';
      return `[${id}] ${ok ? '' : 'FAILED '}${record?.title ?? ''}: "${start}" ... (to see it: read_again {"id":"${id}"})`;
    },
  };
}

/** What it shows has an id already, so a call of it is given none. */
export const READ_AGAIN = 'read_again';

/** The built-in tool that shows a result again, or more of it. */
export function readAgainTool(results: Results): LoopTool {
  return {
    name: READ_AGAIN,
    description: 'Shows an earlier result again by its id, or more of one that was cut short.',
    parameters: {
      type: 'object',
      properties: {
        id: { type: 'string', description: 'such as r3' },
        from: { type: 'integer', minimum: 0, description: 'the character to begin at' },
      },
      required: ['id'],
    },
    acts: false,
    check(given) {
      const id = field(given, 'id');
      const name = typeof id === 'string' ? id.replace(/[[\]\s]/g, '') : '';
      if (!results.records.has(name)) {
        const known = [...results.records.keys()];
        return {
          ok: false,
          message: `There is no result "${name.slice(0, 20)}". There are: ${known.slice(-30).join(', ') || 'none yet'}.`,
        };
      }
      const from = Number(field(given, 'from') ?? 0);
      const at = Number.isFinite(from) ? Math.max(0, Math.floor(from)) : 0;
      return { ok: true, value: { id: name, from: at }, title: `read_again(${name}${at > 0 ? ` from ${at}` : ''})` };
    },
    async run(value) {
      const id = String(field(value, 'id'));
      const from = Number(field(value, 'from'));
      const record = results.records.get(id);
      if (record && from >= record.content.length) {
        return { ok: false, content: `${id} has only ${record.content.length} characters.` };
      }
      const shown = results.show(id, from);
      return { ok: true, content: shown, shown, result: id, title: `${id} again: ${record?.title ?? ''}` };
    },
  };
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;

/** As many whole lines as fit, or a part of the first when that alone is too long. */
function wholeLines(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = text.lastIndexOf('\n', most);
  return text.slice(0, end > most / 2 ? end + 1 : most);
}

function lineCount(text: string): number {
  let count = 1;
  for (let at = text.indexOf('\n'); at !== -1 && count < MANY_LINES; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
