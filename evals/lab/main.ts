import { parseArgs } from 'node:util';
import type { Bench } from './bench.ts';
import { cases } from './cases/index.ts';
import { type CaseResult, play } from './play.ts';

const HELP = `npm run lab [CASE...] [-- --smoke] [-- --json] [-- --list]

Breaks real services on this machine and sees whether Nightshift mends them. Each case has its own temporary folder,
high ports and processes. What is missing for a case makes it skipped, which is counted apart.

Cases:
${cases.map(({ name, shows }) => `  ${name.padEnd(20)} ${shows}`).join('\n')}

--retry     a case that fails is played once more, and both results are shown: only twice is a failure
--complete  a skipped case is a failure: for a machine that should have everything

Exit codes: 0 nothing failed · 1 something failed · 2 no such case`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean' },
    smoke: { type: 'boolean' },
    list: { type: 'boolean' },
    help: { type: 'boolean' },
    retry: { type: 'boolean' },
    complete: { type: 'boolean' },
  },
});

/** With --json, standard output is for the one object alone. */
const say = (text: string): void => (values.json ? console.error(text) : console.log(text));

async function main(): Promise<number> {
  if (values.help) return tell(HELP);
  if (values.list) return tell(cases.map(({ name }) => name).join('\n'));
  const unknown = positionals.filter((name) => !cases.some((labCase) => labCase.name === name));
  if (unknown.length > 0) {
    console.error(`no such case: ${unknown.join(', ')}. There are: ${cases.map(({ name }) => name).join(', ')}`);
    return 2;
  }
  const chosen = cases.filter(({ name, smoke }) =>
    positionals.length > 0 ? positionals.includes(name) : values.smoke ? smoke === true : true,
  );

  let current: Bench | null = null;
  let stopped = false;
  const interrupted = async (signal: NodeJS.Signals) => {
    stopped = true;
    say(`\n${signal}: cleaning up`);
    await current?.dispose();
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);

  const playOnce = async (labCase: (typeof cases)[number]): Promise<CaseResult> => {
    const result = await play(labCase, (bench) => {
      current = bench;
    });
    if (stopped) return result;
    say(`${WORDS[result.outcome]}  ${result.name} (${result.seconds} s): ${result.text}`);
    for (const trouble of result.left) say(`      not cleaned up: ${trouble}`);
    if (result.transcript) say(result.transcript.replace(/^/gm, '      | '));
    return result;
  };

  const results: CaseResult[] = [];
  for (const labCase of chosen) {
    say(`RUN   ${labCase.name}: ${labCase.shows}`);
    let result = await playOnce(labCase);
    if (result.outcome === 'failed' && values.retry && !stopped) {
      say(`AGAIN ${labCase.name}: it failed once`);
      result = await playOnce(labCase);
    }
    // What the case says of its own interruption is no result.
    if (stopped) break;
    results.push(result);
  }

  if (stopped) return 130;
  const count = (outcome: CaseResult['outcome']) => results.filter((result) => result.outcome === outcome).length;
  const [passed, failed, skipped] = [count('passed'), count('failed'), count('skipped')];
  if (values.json) console.log(JSON.stringify({ passed, failed, skipped, cases: results }));
  say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed > 0 || (values.complete && skipped > 0) ? 1 : 0;
}

const WORDS = { passed: 'PASS', failed: 'FAIL', skipped: 'SKIP' } as const;

function tell(text: string): number {
  console.log(text);
  return 0;
}

process.exitCode = await main();
