import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../../src/base/outcome.ts';
import { type Bench, createBench } from './bench.ts';
import { type LabCase, Missing } from './lab-case.ts';

/** How a case went. `text` is what was found, what failed, or what is missing. */
export interface CaseResult {
  name: string;
  outcome: 'passed' | 'failed' | 'skipped';
  text: string;
  seconds: number;
  /** What could not be cleaned up. */
  left: string[];
  /** Of a failed case: the end of what Nightshift said. */
  transcript: string | null;
}

const LIMIT_MS = 300_000;
const TRANSCRIPT_CHARACTERS = 6000;

/** Plays one case on a bench of its own and cleans up on every path. `onBench` lets an interrupted lab clean up, too. */
export async function play(labCase: LabCase, onBench: (bench: Bench | null) => void): Promise<CaseResult> {
  const began = Date.now();
  const result = (outcome: CaseResult['outcome'], text: string): CaseResult => ({
    ...{ name: labCase.name, outcome, text, left: [], transcript: null },
    seconds: Math.round((Date.now() - began) / 100) / 10,
  });

  for (const need of labCase.needs) {
    const missing = await need.missing();
    if (missing !== null) return result('skipped', missing);
  }

  const bench = await createBench(labCase.name);
  onBench(bench);
  let phase = 'prepare';
  let world: unknown = null;
  const phases = async () => {
    world = await labCase.prepare(bench);
    phase = 'inject';
    await labCase.inject(world, bench);
    phase = 'symptom';
    await labCase.symptom(world, bench);
    phase = 'oracle';
    return labCase.oracle(world, bench);
  };
  const limit = Promise.withResolvers<never>();
  const timer = setTimeout(() => limit.reject(new Error(`no end within ${LIMIT_MS / 1000} s`)), LIMIT_MS);
  let outcome: CaseResult;
  try {
    outcome = result('passed', await Promise.race([phases(), limit.promise]));
  } catch (thrown) {
    outcome =
      thrown instanceof Missing
        ? result('skipped', thrown.message)
        : result('failed', `${phase}: ${messageOf(thrown)}`);
    if (outcome.outcome === 'failed') outcome.transcript = await transcriptOf(bench.folder);
  }
  clearTimeout(timer);
  try {
    await labCase.cleanup?.(world, bench);
  } catch (thrown) {
    outcome.left.push(messageOf(thrown));
  }
  outcome.left.push(...(await bench.dispose()));
  onBench(null);
  return outcome;
}

/** The timeline as `watch --json` told it, and every line that is not of its events as it stands. */
async function transcriptOf(folder: string): Promise<string> {
  const logs = (await readdir(folder)).filter((name) => /^watch-\d+\.log$/.test(name)).sort();
  const texts = await Promise.all(logs.map((name) => readFile(join(folder, name), 'utf8')));
  const lines = texts.flatMap((text) => text.split('\n').filter(Boolean).map(shown));
  return lines
    .filter((line) => line !== null)
    .join('\n')
    .slice(-TRANSCRIPT_CHARACTERS);
}

const eventSchema = z.object({
  type: z.string(),
  text: z.string().optional(),
  entry: z.object({ at: z.number(), type: z.string(), text: z.string() }).optional(),
});

function shown(line: string): string | null {
  const event = line.startsWith('{') ? eventSchema.safeParse(JSON.parse(line)).data : undefined;
  if (!event) return line;
  // A report every second would drown what was done.
  if (event.entry)
    return `${new Date(event.entry.at).toISOString().slice(11, 23)} ${event.entry.type}: ${event.entry.text}`;
  return event.type === 'report' ? null : `${event.type}${event.text ? `: ${event.text}` : ''}`;
}
