import type { z } from 'zod';

type RawIssue = z.core.$ZodRawIssue;

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text was expected',
  number: 'a number was expected',
  int: 'a whole number was expected',
  boolean: 'true or false was expected',
  array: 'a list was expected, such as [a, b]',
  tuple: 'a program and its arguments were expected as a list, such as [node, server.js]',
  object: 'names and values were expected here, one "name: value" a line',
  record: 'names and values were expected here, one "name: value" a line',
  nan: 'a number was expected',
};

/** `a, b or c`. */
export const choice = (words: readonly unknown[]): string => {
  const texts = words.map(String);
  return texts.length < 2 ? (texts[0] ?? '') : `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`;
};

function tooSmall(issue: Extract<RawIssue, { code: 'too_small' }>): string {
  const least = Number(issue.minimum);
  if (issue.origin === 'string')
    return least <= 1 ? 'a text was expected, and this one is empty' : `at least ${least} characters were expected`;
  if (issue.origin === 'array')
    return least <= 1 ? 'at least one entry was expected' : `at least ${least} entries were expected`;
  return `${issue.inclusive === false ? 'more than' : 'at least'} ${least} was expected`;
}

function tooBig(issue: Extract<RawIssue, { code: 'too_big' }>): string {
  const most = Number(issue.maximum);
  if (issue.origin === 'string') return `at most ${most} characters were expected`;
  if (issue.origin === 'array') return `at most ${most} entries were expected`;
  return `${issue.inclusive === false ? 'less than' : 'at most'} ${most} was expected`;
}

/** What was expected, in words, wherever the schema itself has none of its own. */
export function wording(issue: RawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[issue.expected] ?? `${issue.expected} was expected`;
    case 'invalid_value':
      return issue.values.length === 1
        ? `${String(issue.values[0])} was expected`
        : `${choice(issue.values)} was expected`;
    case 'too_small':
      return tooSmall(issue);
    case 'too_big':
      return tooBig(issue);
    case 'invalid_format':
      if (issue.format === 'url') return 'a URL such as http://127.0.0.1:8080 was expected';
      if (issue.format === 'starts_with') return 'a path that starts with / was expected';
      return 'this text does not have the form that was expected';
    case 'invalid_key':
      return 'a name of letters, digits, dots and dashes was expected';
    case 'unrecognized_keys':
      return 'there is no such key here';
    default:
      return 'another kind of value was expected';
  }
}
