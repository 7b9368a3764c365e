import { readFileSync, statSync } from 'node:fs';
import { messageOf } from '../base/outcome.ts';
import { absolutePath, type Environment } from './paths.ts';

/** Gives the value behind `env:NAME` or `file:PATH`, trimmed; throws an error that names the reference and the remedy, never the value. */
type Secrets = (reference: string) => string;

const OTHERS_MAY_READ = 0o004;

function fromEnvironment(reference: string, name: string, environment: Environment): string {
  const value = environment[name]?.trim();
  if (value === undefined)
    throw new Error(`${reference}: the environment variable ${name} is not set; set it where Nightshift is started`);
  if (value === '') throw new Error(`${reference}: the environment variable ${name} is empty; give it its value`);
  return value;
}

function fromFile(reference: string, path: string, warn: (message: string) => void): string {
  let text: string;
  try {
    const facts = statSync(path);
    if (!facts.isFile()) throw new Error('it is not a file');
    if (process.platform !== 'win32' && facts.mode & OTHERS_MAY_READ)
      warn(`${reference}: every user of this machine can read ${path}; run: chmod 600 ${path}`);
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new Error(
      `${reference}: ${path} cannot be read (${messageOf(error)}); create it, readable by the user that runs Nightshift`,
      { cause: error },
    );
  }
  if (text === '') throw new Error(`${reference}: ${path} is empty; write the secret into it`);
  return text;
}

/** Where secrets come from: the environment and files, relative ones from the folder of the configuration. Read anew each time, so that a changed one is taken up. */
export function createSecrets(
  environment: Environment,
  baseFolder: string,
  options: { warn?: (message: string) => void } = {},
): Secrets {
  const warned = new Set<string>();
  const warn = (message: string): void => {
    if (warned.has(message)) return;
    warned.add(message);
    options.warn?.(message);
  };
  return (reference) => {
    const match = /^(env|file):(.+)$/.exec(reference);
    const named = match?.[2];
    if (named === undefined)
      throw new Error(
        'a reference such as env:NAME or file:PATH was expected for a secret; what stands there is neither',
      );
    if (match?.[1] === 'env') return fromEnvironment(reference, named, environment);
    return fromFile(reference, absolutePath(named, baseFolder, environment.HOME ?? baseFolder), warn);
  };
}
