import { failedAnswer } from './failure.ts';
import type { ModelAnswer } from './provider.ts';

/** More than any model needs in one turn. */
const MOST_CALLS = 32;
const DEEPEST = 20;
const MOST_VALUES = 2000;
const LONGEST_TEXT = 32_768;

/** An answer whose calls nobody could mean is a malformed one: deep nesting ends programs, and a hundred calls fill a machine. */
export function refuseMonstrous(answer: ModelAnswer): ModelAnswer {
  if (!answer.ok) return answer;
  const { calls, usage } = answer;
  const said = (what: string) =>
    failedAnswer({ name: answer.provider, model: answer.model }, 'malformed', what, { usage });
  if (calls.length > MOST_CALLS) return said(`${calls.length} calls in one answer; ${MOST_CALLS} are the most`);
  const wrong = calls.find((call) => isMonstrous(call.arguments) || call.name.length > 200 || call.id.length > 200);
  return wrong ? said(`the arguments of a call are too deep or too long (${wrong.name.slice(0, 60)})`) : answer;
}

/** Without recursion: what is looked for is what would end it. */
function isMonstrous(given: unknown): boolean {
  const left: { value: unknown; depth: number }[] = [{ value: given, depth: 0 }];
  let seen = 0;
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { value, depth } = next;
    seen += 1;
    if (depth > DEEPEST || seen > MOST_VALUES) return true;
    if (typeof value === 'string' && value.length > LONGEST_TEXT) return true;
    if (typeof value !== 'object' || value === null) continue;
    const entries = Object.entries(value);
    if (entries.length > MOST_VALUES) return true;
    for (const [name, each] of entries) {
      if (name.length > 200) return true;
      left.push({ value: each, depth: depth + 1 });
    }
  }
  return false;
}
