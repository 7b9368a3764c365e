import { createInterface } from 'node:readline/promises';
import { showAnswer } from '../ask-view.ts';
import { type Verb } from '../verb.ts';

/** A question in plain words, answered from live evidence with looking tools only. Without one, a conversation. */
const askVerb: Verb = async (context) => {
  const { terminal, options } = context;
  const { askQuestion } = await import('../../app.ts');
  const { inventoryFor } = await import('../inventory.ts');
  const { config } = await inventoryFor(context);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const question = context.arguments.join(' ').trim();
  if (question !== '') {
    const events = askQuestion({ config, surroundings: context, question, signal: stop.signal });
    if (!options.json) return (await showAnswer(terminal, events)) ? 0 : 1;
    for await (const event of events) if (event.type === 'answer') terminal.line(JSON.stringify(event.answer, null, 2));
    return 0;
  }
  terminal.line('Ask in plain words; an empty line ends it.');
  const input = createInterface({ input: process.stdin, output: terminal.interactive ? process.stdout : undefined, prompt: '\n> ' });
  const earlier: { question: string; answer: string }[] = [];
  input.prompt();
  for await (const line of input) {
    if (line.trim() === '' || stop.signal.aborted) break;
    const events = askQuestion({ config, surroundings: context, question: line.trim(), earlier, signal: stop.signal });
    const kept = (async function* () {
      for await (const event of events) {
        if (event.type === 'answer') earlier.push({ question: line.trim(), answer: event.answer.text });
        yield event;
      }
    })();
    await showAnswer(terminal, kept);
    input.prompt();
  }
  input.close();
  return 0;
};
export default askVerb;
