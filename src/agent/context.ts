import type { ModelMessage, ToolDefinition } from '../models/provider.ts';

/** Characters to a token in logs, paths and numbers; English has more, so this errs on the safe side. */
const CHARACTERS_PER_TOKEN = 3.3;
/** What a wire puts around a message or a tool. */
const OVERHEAD = 12;
/** When the window is full, it is emptied to this part of it, so that it is not rewritten at every step. */
const EMPTY_TO = 0.6;
/** Kept free, as the estimate is one. */
const MARGIN = 0.04;

/** Tokens of a text, estimated high. */
export const estimateTokens = (text: string): number => Math.ceil(text.length / CHARACTERS_PER_TOKEN);

/** Characters that surely fit into so many tokens. */
export const charactersFor = (tokens: number): number => Math.floor(tokens * CHARACTERS_PER_TOKEN);

/** The most characters one result should have, so that several fit beside one another. */
export const resultCharacters = (limits: { contextTokens: number; maxOutputTokens: number }): number =>
  Math.max(1500, charactersFor((limits.contextTokens - limits.maxOutputTokens) / 5));

const toolTokens = (tool: ToolDefinition): number =>
  OVERHEAD + estimateTokens(tool.name + tool.description + JSON.stringify(tool.parameters));

function messageTokens(message: ModelMessage): number {
  let tokens = OVERHEAD + estimateTokens(message.content);
  if (message.role === 'assistant') {
    for (const call of message.calls)
      tokens += OVERHEAD + estimateTokens(call.name + JSON.stringify(call.arguments ?? {}));
    if (message.thinking !== undefined) tokens += estimateTokens(JSON.stringify(message.thinking) ?? '');
  }
  return tokens;
}

interface ContextOptions {
  system: string;
  tools: readonly ToolDefinition[];
  /** Kept whatever happens: the question, and what was said before it. */
  opening: readonly ModelMessage[];
  contextTokens: number;
  maxOutputTokens: number;
}

/** A conversation that always fits its window. */
interface Context {
  /** `brief` is the line that may take the place of a tool result when room is needed. */
  add(message: ModelMessage, brief?: string): void;
  /** What to send now: never more than the window less the answer. */
  fitted(): readonly ModelMessage[];
  /** Estimated tokens of what `fitted` gave last. */
  tokens(): number;
}

interface Entry {
  message: ModelMessage;
  tokens: number;
  brief: string | null;
}

/**
 * Keeps system, tools and question whole and gives up the oldest first: thinking, then old tool results to one line each, then
 * whole old turns, then the length of what is left. A call and its results are only ever dropped together.
 */
export function createContext(options: ContextOptions): Context {
  const room = Math.floor(options.contextTokens * (1 - MARGIN)) - options.maxOutputTokens;
  let fixed = OVERHEAD + estimateTokens(options.system);
  for (const tool of options.tools) fixed += toolTokens(tool);
  const opening = shortenOpening(options.opening, room - fixed);
  for (const message of opening) fixed += messageTokens(message);

  const entries: Entry[] = [];
  let held = 0;
  let dropped = 0;

  const total = () => fixed + held + (dropped > 0 ? OVERHEAD * 3 : 0);
  const replace = (entry: Entry, message: ModelMessage) => {
    const tokens = messageTokens(message);
    held += tokens - entry.tokens;
    entry.message = message;
    entry.tokens = tokens;
  };
  /** Where the newest turn begins: it is not touched while anything older can be. */
  const newest = () =>
    Math.max(
      entries.findLastIndex((entry) => entry.message.role === 'assistant'),
      0,
    );

  /** The opening, with a word on what is left out behind it. The same objects as long as nothing more is dropped. */
  let noted: { dropped: number; opening: readonly ModelMessage[] } = { dropped: 0, opening };
  function begun(): readonly ModelMessage[] {
    const question = opening.at(-1);
    if (noted.dropped !== dropped && question?.role === 'user') {
      const content = `${question.content}\n\n[${dropped} earlier ${dropped === 1 ? 'turn is' : 'turns are'} left out here]`;
      noted = { dropped, opening: [...opening.slice(0, -1), { ...question, content }] };
    }
    return noted.opening;
  }

  function makeRoom(): void {
    const target = Math.max(fixed + (room - fixed) * EMPTY_TO, 0);
    for (const entry of entries.slice(0, newest())) {
      if (total() <= target) return;
      if (entry.message.role === 'assistant' && entry.message.thinking !== undefined) {
        const { thinking: _, ...message } = entry.message;
        replace(entry, message);
      } else if (
        entry.message.role === 'tool' &&
        entry.brief !== null &&
        entry.brief.length < entry.message.content.length
      ) {
        replace(entry, { ...entry.message, content: entry.brief });
      }
    }
    while (total() > target && newest() > 0) {
      const end = entries.findIndex((entry, index) => index > 0 && entry.message.role === 'assistant');
      for (const entry of entries.splice(0, end)) held -= entry.tokens;
      dropped += 1;
    }
    shortenRest();
  }

  /** The newest turn alone is too long: its longest parts lose their middle. */
  function shortenRest(): void {
    for (let tries = 0; total() > room && tries < 40; tries += 1) {
      const longest = entries.reduce<Entry | null>(
        (most, entry) => (entry.tokens > (most?.tokens ?? 0) ? entry : most),
        null,
      );
      if (!longest || longest.message.content.length < 200) return;
      const keep = Math.floor(longest.message.content.length / 2);
      replace(longest, { ...longest.message, content: cutMiddle(longest.message.content, keep) });
    }
  }

  return {
    add(message, brief) {
      const tokens = messageTokens(message);
      entries.push({ message, tokens, brief: brief ?? null });
      held += tokens;
    },
    fitted() {
      if (total() > room) makeRoom();
      return [...begun(), ...entries.map((entry) => entry.message)];
    },
    tokens: total,
  };
}

/** A question that is itself too long for the window loses its middle; what was said before it goes first. */
function shortenOpening(opening: readonly ModelMessage[], room: number): readonly ModelMessage[] {
  let kept = [...opening];
  const size = () => kept.reduce((sum, message) => sum + messageTokens(message), 0);
  const most = room * 0.5;
  while (kept.length > 1 && size() > most) {
    const next = kept.findIndex((message, index) => index > 0 && message.role === 'user');
    kept = kept.slice(next === -1 ? kept.length - 1 : next);
  }
  const question = kept.at(-1);
  if (question && size() > most) {
    kept = [{ ...question, content: cutMiddle(question.content, charactersFor(Math.max(most, 200))) }];
  }
  return kept;
}

/** A text's beginning and end, with what is missing said between. */
function cutMiddle(text: string, most: number): string {
  if (text.length <= most) return text;
  const half = Math.max(Math.floor((most - 60) / 2), 20);
  return `${text.slice(0, half)}\n[… ${text.length - 2 * half} characters left out …]\n${text.slice(-half)}`;
}
