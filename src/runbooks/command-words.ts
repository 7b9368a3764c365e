import { basename } from 'node:path/posix';
import { failure, type Outcome, success } from '../base/outcome.ts';
import { nearest } from '../config/nearest.ts';
import type { Config } from '../config/schema.ts';

/** Names of the inventory that a command may leave open. */
const placeholders = ['name', 'service', 'host', 'unit'] as const;

const SHELLS = new Set([
  'sh',
  'bash',
  'zsh',
  'dash',
  'ksh',
  'fish',
  'csh',
  'tcsh',
  'busybox',
  'eval',
  'exec',
  'source',
]);

/**
 * Splits a command as a POSIX shell would split its words, with quotes and backslashes. What only a shell could carry out
 * (pipes, substitutions, globs, variables, redirections) is refused, for no shell will see it.
 */
function splitWords(line: string): Outcome<string[]> {
  const words: string[] = [];
  let word: string | null = null;
  let quote: '"' | "'" | null = null;
  for (let index = 0; index < line.length; index++) {
    const letter = line[index] ?? '';
    if (quote === "'") {
      if (letter === "'") quote = null;
      else word = (word ?? '') + letter;
    } else if (letter === '\\') {
      const next = line[index + 1];
      if (next === undefined || next === '\n') return failure('a backslash stands at the end');
      word = (word ?? '') + (quote === '"' && !'"\\$`'.includes(next) ? letter + next : next);
      index++;
    } else if (quote === '"') {
      if (letter === '"') quote = null;
      else if (letter === '$' || letter === '`') return failure(substitution(letter));
      else word = (word ?? '') + letter;
    } else if (letter === '"' || letter === "'") {
      quote = letter;
      word ??= '';
    } else if (letter === '\n' || letter === '\r') {
      return failure('a command is one line');
    } else if (/\s/.test(letter)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      const refused = refusal(line, index, word);
      if (refused) return failure(refused);
      word = (word ?? '') + letter;
    }
  }
  if (quote) return failure(`the quote ${quote} is not closed`);
  if (word !== null) words.push(word);
  return success(words);
}

const substitution = (letter: string): string =>
  `${letter} would need a shell (substitution), and commands run without one`;

function refusal(line: string, index: number, word: string | null): string | null {
  const letter = line[index] ?? '';
  if ('|&;<>()'.includes(letter))
    return `${letter} would need a shell, and commands run without one; write one command per step`;
  if (letter === '$' || letter === '`') return substitution(letter);
  if ('*?['.includes(letter)) return `${letter} would need a shell to find file names, and commands run without one`;
  if (letter === '~' && word === null) return '~ would need a shell; write the whole path';
  if (letter === '#' && word === null) return 'a comment is not part of a command';
  if (letter === '{' && !/^\{[a-z_]+\}/.test(line.slice(index)))
    return '{ is only understood in {name}, {service}, {host} and {unit}';
  return null;
}

/** A command line of a runbook as the host it runs on and an argv. Without `ssh HOST` it runs on this machine. */
export function parseCommand(line: string, config: Pick<Config, 'hosts'>): Outcome<{ host: string; argv: string[] }> {
  const split = splitWords(line);
  if (!split.ok) return split;
  const [program, destination, ...rest] = split.value;
  if (program !== 'ssh') {
    const checked = checkArgv(split.value);
    return checked.ok ? success({ host: 'local', argv: checked.value }) : checked;
  }
  if (destination === undefined || rest.length === 0) return failure("ssh HOST 'COMMAND' was expected");
  if (destination.startsWith('-'))
    return failure(`options of ssh (${destination}) belong to the host in the configuration`);
  const host = hostNamed(destination, config);
  if (!host.ok) return host;
  // What ssh is handed, the far side's shell would read once more: so are its words read here, under the same rules.
  const remote = splitWords(rest.join(' '));
  if (!remote.ok) return remote;
  const checked = checkArgv(remote.value);
  return checked.ok ? success({ host: host.value, argv: checked.value }) : checked;
}

function hostNamed(destination: string, config: Pick<Config, 'hosts'>): Outcome<string> {
  if (Object.hasOwn(config.hosts, destination)) return success(destination);
  const alias = Object.entries(config.hosts).find(([, host]) => host.ssh === destination)?.[0];
  if (alias) return success(alias);
  const near = nearest(destination, Object.keys(config.hosts));
  return failure(
    `there is no host ${destination} under hosts:${near ? `; did you mean ${near}?` : ' in the configuration'}`,
  );
}

function checkArgv(words: string[]): Outcome<string[]> {
  const [program] = words;
  if (program === undefined || program === '') return failure('a program was expected');
  if (/^[A-Za-z_][A-Za-z0-9_]*=/.test(program)) return failure(`${program} would need a shell; name the program first`);
  if (program.includes('{')) return failure('the program itself cannot be left open');
  const named = words.map((word) => basename(word));
  const runner = ['sudo', 'doas', 'env', 'nohup', 'timeout', 'nice'].includes(named[0] ?? '');
  const shell = named.slice(0, runner ? 3 : 1).find((word) => SHELLS.has(word));
  if (shell) return failure(`a shell (${shell}) is not run by a runbook; write its commands as steps`);
  if (named[0] === 'ssh')
    return failure('one ssh within another is not understood; give the host an entry under hosts:');
  for (const word of words) {
    for (const [, name] of word.matchAll(/\{([^{}]*)\}/g)) {
      if (!placeholders.some((known) => known === name)) {
        return failure(`{${name}} is not known; there are ${placeholders.map((each) => `{${each}}`).join(', ')}`);
      }
    }
  }
  return success(words);
}
