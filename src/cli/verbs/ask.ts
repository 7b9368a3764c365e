import { createInterface } from 'node:readline/promises';
import type { AskAnswer } from '../../agent/ask.ts';
import { showAnswer } from '../ask-view.ts';
import { inventoryFor } from '../inventory.ts';
import { stopOnSignals } from '../stop.ts';
import { prepareStore, type Verb } from '../verb.ts';

type Answer = AskAnswer;

/** A question in plain words, answered from live evidence with looking tools only. Without one, a conversation. */
const askVerb: Verb = async (context) => {
  const { terminal, options } = context;
  const { askQuestion } = await import('../../app.ts');
  const config = await inventoryFor(context);
  await prepareStore(context, config);
  const stopping = stopOnSignals(terminal, () => undefined);
  const earlier: { question: string; answer: string }[] = [];
  /** Answers one question; false when there was no answer. */
  const answer = async (question: string, indent: number): Promise<boolean> => {
    let given: Answer | null = null;
    const events = (async function* () {
      for await (const event of askQuestion({
        config,
        surroundings: context,
        question,
        earlier,
        signal: stopping.signal,
      })) {
        if (event.type === 'answer') given = event.answer;
        yield event;
      }
    })();
    if (options.json) for await (const _ of events);
    else await showAnswer(terminal, events);
    const found = given as Answer | null;
    if (found === null) return false;
    earlier.push({ question, answer: found.text });
    if (options.json) terminal.line(JSON.stringify(shown(found), null, indent));
    return true;
  };
  try {
    const question = context.arguments.join(' ').trim();
    if (question !== '') return (await answer(question, 2)) ? 0 : 1;

    const talking = process.stdin.isTTY === true && terminal.interactive;
    if (talking) terminal.line('Ask in plain words; an empty line ends it.');
    const input = createInterface({
      input: process.stdin,
      ...(talking ? { output: process.stdout } : {}),
      prompt: '\n> ',
    });
    // On a terminal readline takes Ctrl-C for itself: it ends the conversation as it would any other work.
    input.on('SIGINT', () => process.emit('SIGINT', 'SIGINT'));
    stopping.signal.addEventListener('abort', () => input.close(), { once: true });
    let all = true;
    if (talking) input.prompt();
    for await (const line of input) {
      if (line.trim() === '' || stopping.signal.aborted) break;
      all = (await answer(line.trim(), 0)) && all;
      if (talking && !stopping.signal.aborted) input.prompt();
    }
    input.close();
    return all ? 0 : 1;
  } finally {
    stopping.end();
  }
};
export default askVerb;

const shown = ({ question, text, evidence, notChecked, next, note, model }: Answer) => ({
  question,
  text,
  evidence,
  not_checked: notChecked,
  next,
  note,
  model,
});
