import type { AskEvent } from '../agent/ask.ts';
import { shorten, type Terminal } from './terminal.ts';

/** Shows an answer as it comes: what is looked at, the text as it streams, then evidence, what was not checked, what to do next. */
export async function showAnswer(terminal: Terminal, events: AsyncIterable<AskEvent>): Promise<boolean> {
  const label = (word: string) => terminal.style('dim', word.padEnd(12));
  let looking = false;
  let streamed = '';
  let answered = false;
  const stopLooking = () => {
    if (looking) terminal.line();
    looking = false;
  };
  for await (const event of events) {
    switch (event.type) {
      case 'looking':
        terminal.write(
          looking ? ` · ${shorten(event.title, 60)}` : `${label('looking at')}${shorten(event.title, 60)}`,
        );
        looking = true;
        break;
      case 'loading':
      case 'provider-failed':
        stopLooking();
        terminal.line(`${label('model')}${shorten(event.text, 200)}`);
        break;
      case 'text-delta':
        stopLooking();
        streamed += event.text;
        if (terminal.interactive) terminal.write(event.text);
        break;
      case 'answer': {
        stopLooking();
        const { answer } = event;
        answered = true;
        // What streamed holds the evidence lines, too: on a terminal a clean copy follows only when it differs.
        if (!terminal.interactive || streamed.trim() !== answer.text.trim()) {
          if (terminal.interactive && streamed.trim() !== '') terminal.line('\n');
          terminal.line(answer.text.trim());
        } else terminal.line();
        answer.evidence.forEach((item, index) => {
          terminal.line(
            `${label(index === 0 ? 'evidence' : '')}[${index + 1}] ${item.title}: "${shorten(item.quote, 140)}"${item.verified ? '' : '  (a guess: not found in what was measured)'}`,
          );
        });
        for (const [index, item] of answer.notChecked.entries())
          terminal.line(`${label(index === 0 ? 'not checked' : '')}${item}`);
        if (answer.next) terminal.line(`${label('next')}${answer.next}`);
        if (answer.note) terminal.line(`${label('note')}${answer.note}`);
        break;
      }
    }
  }
  return answered;
}
