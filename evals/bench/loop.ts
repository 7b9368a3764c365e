import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { runAgent } from '../../src/agent/loop.ts';
import type { LoopTool } from '../../src/agent/run.ts';
import { systemClock } from '../../src/base/clock.ts';
import { createOllamaProvider } from '../../src/models/ollama.ts';
import { toOllamaMessages, toOllamaTools } from '../../src/models/ollama-messages.ts';
import type { ModelProvider, ModelRequest } from '../../src/models/provider.ts';

const ROUNDS = 200;
const REPEATS = 5;
const CONTEXT = 16_384;
const OUTPUT = 1024;

interface LoopFigures {
  /** Time of 200 rounds of our loop over that of the bare client, round by round in turn, five times; each round counts with its median. */
  loop_ratio: number;
  /** Our loop's last 50 rounds over its first 50, by the same medians. */
  loop_growth: number;
  details: {
    rounds: number;
    loop_ms_per_round: number;
    bare_ms_per_round: number;
    bare_growth: number;
    largest_request: number;
  };
}

/**
 * What the loop adds to a round. Both sides speak to the same local server, which answers at once with one tool call, in one
 * process, each warmed up, a round of one and a round of the other in turn, so that what else the machine does hits both. The bare side is the `ollama` client alone, streaming, sending the very requests that the
 * loop had sent in its warm-up: the same system text, tools and history, kept within the same window, message for message. It
 * reads the answer and does nothing with it, while the loop also checks and runs the tool, keeps the window and tells events.
 */
export async function benchLoop(): Promise<LoopFigures> {
  const server = fork(new URL('./mock-ollama.ts', import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  try {
    const url = `http://127.0.0.1:${await portOf(server)}`;
    const requests: ModelRequest[] = [];
    for await (const _ of loopRounds(url, requests));
    const bodies = requests.slice(0, ROUNDS).map(bodyOf);
    const loops: number[][] = [];
    const bares: number[][] = [];
    // One more time than is counted: the first is for warming up.
    for (let repeat = 0; repeat <= REPEATS; repeat += 1) {
      const times: { loop: number[]; bare: number[] } = { loop: [], bare: [] };
      const bare = bareRounds(url, bodies);
      for await (const time of loopRounds(url)) {
        times.loop.push(time);
        times.bare.push((await bare.next()).value ?? 0);
      }
      if (times.loop.length !== ROUNDS) throw new Error(`the loop made ${times.loop.length} rounds, not ${ROUNDS}`);
      if (repeat === 0) continue;
      loops.push(times.loop);
      bares.push(times.bare);
    }
    const [loop, bare] = [typical(loops), typical(bares)];
    return {
      loop_ratio: round(sum(loop) / sum(bare)),
      loop_growth: round(growth(loop)),
      details: {
        rounds: ROUNDS,
        loop_ms_per_round: round(sum(loop) / ROUNDS),
        bare_ms_per_round: round(sum(bare) / ROUNDS),
        bare_growth: round(growth(bare)),
        largest_request: Math.max(...bodies.map((body) => JSON.stringify(body).length)),
      },
    };
  } finally {
    server.disconnect();
  }
}

async function portOf(server: ChildProcess): Promise<number> {
  const [port] = await once(server, 'message');
  if (typeof port !== 'number') throw new Error('the mock server gave no port');
  return port;
}

/** A result of two kilobytes, as a tool gives them; the page makes each its own. */
const page = (value: unknown): string =>
  `page ${JSON.stringify(value)}\n${'12:00:01 api GET /orders/1234 500 in 31 ms: connect ECONNREFUSED 127.0.0.1:6379\n'.repeat(24)}`;

const logs: LoopTool = {
  name: 'logs',
  description: 'Reads a page of the log of a service.',
  parameters: { type: 'object', properties: { page: { type: 'integer' } }, required: ['page'] },
  acts: false,
  check: (given) => ({ ok: true, value: given, title: 'logs' }),
  run: async (value) => ({ ok: true, content: page(value) }),
};

/** The time of each round, from its request to its result. With `keep`, what was asked is kept. */
async function* loopRounds(url: string, keep?: ModelRequest[]): AsyncGenerator<number, void> {
  const provider = createOllamaProvider({ model: 'bench', url, contextTokens: CONTEXT, timeoutMs: 60_000 });
  const limits = {
    steps: ROUNDS + 1,
    milliseconds: 600_000,
    tokens: 1e9,
    contextTokens: CONTEXT,
    maxOutputTokens: OUTPUT,
  };
  const running = runAgent({
    run: 'bench',
    purpose: 'triage',
    system: 'You look after machines. '.repeat(80),
    question: 'Why does api answer 500?',
    model: keep ? keeping(provider, keep) : provider,
    tools: [logs],
    limits,
    clock: systemClock,
    signal: new AbortController().signal,
  });
  let begun = performance.now();
  for await (const event of running) {
    if (event.type !== 'tool-end') continue;
    yield performance.now() - begun;
    begun = performance.now();
  }
}

const keeping = (provider: ModelProvider, keep: ModelRequest[]): ModelProvider => ({
  ...provider,
  stream(request, signal) {
    keep.push({ ...request, messages: [...request.messages] });
    return provider.stream(request, signal);
  },
});

const bodyOf = (request: ModelRequest) => ({
  model: 'bench',
  messages: toOllamaMessages(request, 'ollama bench'),
  tools: toOllamaTools(request.tools),
  stream: true as const,
  options: { num_ctx: CONTEXT, num_predict: OUTPUT },
});

async function* bareRounds(url: string, bodies: ReturnType<typeof bodyOf>[]): AsyncGenerator<number, void> {
  const { Ollama } = await import('ollama');
  const client = new Ollama({ host: url });
  for (const body of bodies) {
    const begun = performance.now();
    let calls = 0;
    for await (const part of await client.chat({ ...body })) calls += part.message.tool_calls?.length ?? 0;
    if (calls !== 1) throw new Error(`the bare client saw ${calls} calls, not one`);
    yield performance.now() - begun;
  }
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
const round = (value: number): number => Math.round(value * 1000) / 1000;
const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
/** Each round's median over the repeats: one that another program got in the way of does not count. */
const typical = (repeats: number[][]): number[] =>
  Array.from({ length: ROUNDS }, (_, index) => median(repeats.map((times) => times[index] ?? 0)));
const growth = (times: number[]): number => sum(times.slice(-times.length / 4)) / sum(times.slice(0, times.length / 4));
