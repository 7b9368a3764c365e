import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../base/outcome.ts';
import { packageFile } from '../base/package-root.ts';
import type { Place } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { type ConfigSource, readSource } from '../config/source.ts';
import { buildRunbook } from './build.ts';
import type { Note } from './build-notes.ts';
import type { Runbook } from './runbook.ts';

/** Something wrong with a runbook, at its place. After an `error` that runbook is left out; the others go on. */
interface RunbookProblem {
  file: string;
  /** From 1; 0 when it is the file itself. */
  line: number;
  column: number;
  message: string;
  severity: 'error' | 'warning';
}

interface LoadRequest {
  /** Files and folders with a person's own runbooks; in folders every `.yaml` and `.yml` directly in it. */
  paths: readonly string[];
  config: Config;
  /** The folder with those that come with Nightshift; null for none. Default: `memory/runbooks` of the package. */
  shippedFolder?: string | null;
}

const MAX_BYTES = 1024 * 1024;

/**
 * Reads all runbooks. It never rejects for what stands in the files: each mistake becomes a problem with its line. A
 * person's runbook with the name of a shipped one takes its place.
 */
export async function loadRunbooks(request: LoadRequest): Promise<{ runbooks: Runbook[]; problems: RunbookProblem[] }> {
  const problems: RunbookProblem[] = [];
  const shippedFolder = request.shippedFolder === undefined ? packageFile('memory', 'runbooks') : request.shippedFolder;
  const own = await readAll(request.paths, request.config, false, problems);
  const shipped = shippedFolder === null ? [] : await readAll([shippedFolder], request.config, true, problems);
  const runbooks = new Map<string, Runbook>();
  for (const runbook of own) {
    const other = runbooks.get(runbook.name);
    if (!other) runbooks.set(runbook.name, runbook);
    else
      problems.push({
        file: runbook.file,
        line: 0,
        column: 0,
        message: `there is a runbook called "${runbook.name}" already, in ${other.file}`,
        severity: 'error',
      });
  }
  for (const runbook of shipped) if (!runbooks.has(runbook.name)) runbooks.set(runbook.name, runbook);
  return { runbooks: [...runbooks.values()], problems };
}

async function readAll(
  paths: readonly string[],
  config: Config,
  shipped: boolean,
  problems: RunbookProblem[],
): Promise<Runbook[]> {
  const runbooks: Runbook[] = [];
  for (const path of paths) {
    for (const file of await filesOf(resolve(path), problems)) {
      runbooks.push(...(await readOne(file, config, shipped, problems)));
    }
  }
  return runbooks;
}

async function filesOf(path: string, problems: RunbookProblem[]): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((name) => /\.ya?ml$/i.test(name)).sort();
    return names.map((name) => join(path, name));
  } catch (error) {
    problems.push({
      file: path,
      line: 0,
      column: 0,
      message: `cannot be read: ${messageOf(error)}`,
      severity: 'error',
    });
    return [];
  }
}

async function readOne(file: string, config: Config, shipped: boolean, problems: RunbookProblem[]): Promise<Runbook[]> {
  const note: Note = (message, place, severity = 'error') =>
    problems.push({ file, line: place?.line ?? 0, column: place?.column ?? 0, message, severity });
  const strange = shipped ? null : await strangeFile(file, config.file);
  if (strange !== null) {
    note(strange, null);
    return [];
  }
  const source = await readYaml(file, note);
  if (!source) return [];
  const parsed = z.object({ common_issues: z.array(z.unknown()) }).safeParse(source.value);
  if (!parsed.success) {
    const keys = isMap(source.value) ? Object.keys(source.value) : [];
    const place =
      keys[0] === undefined
        ? { line: 1, column: 1, length: 1 }
        : source.keyPlace([keys.includes('common_issues') ? 'common_issues' : keys[0]]);
    note('a list of runbooks was expected under common_issues:', place);
    return [];
  }
  for (const key of Object.keys(isMap(source.value) ? source.value : {})) {
    if (key !== 'common_issues')
      note(`${key} is not known here; runbooks stand under common_issues:`, source.keyPlace([key]));
  }
  for (const double of source.duplicates)
    note(`${String(double.path.at(-1))} stands here a second time`, double.second);
  const runbooks: Runbook[] = [];
  for (const [index, written] of parsed.data.common_issues.entries()) {
    const built = await buildRunbook(written, { source, path: ['common_issues', index], note, config, file, shipped });
    if (built) runbooks.push(built);
  }
  return runbooks;
}

const OTHERS_MAY_WRITE = 0o002;

/** Why a runbook is left out: what it says is done, so nobody may write it but root, we, and who writes the configuration. */
async function strangeFile(file: string, configFile: string | null): Promise<string | null> {
  const facts = await stat(file).catch(() => null);
  if (facts === null) return null;
  if ((facts.mode & OTHERS_MAY_WRITE) !== 0)
    return `every user of this machine may write it, and what it says would be done: chmod o-w ${file}`;
  const trusted = [0, process.getuid?.() ?? facts.uid];
  if (trusted.includes(facts.uid)) return null;
  const configOwner = configFile === null ? undefined : (await stat(configFile).catch(() => null))?.uid;
  return facts.uid === configOwner
    ? null
    : `it belongs to another user (${facts.uid}) than Nightshift and its configuration, and what it says would be done`;
}

async function readYaml(file: string, note: Note): Promise<ConfigSource | null> {
  let text: string;
  try {
    const facts = await stat(file);
    if (facts.size > MAX_BYTES) {
      note(`${basename(file)} is larger than ${MAX_BYTES} bytes`, null);
      return null;
    }
    text = await readFile(file, 'utf8');
  } catch (error) {
    note(`cannot be read: ${messageOf(error)}`, null);
    return null;
  }
  const read = readSource(text);
  if (!read.ok) {
    for (const problem of read.problems) note(problem.message, problem.place);
    return null;
  }
  if (read.source === null)
    note('the file is empty; a list of runbooks was expected under common_issues:', startOfFile);
  return read.source;
}

const startOfFile: Place = { line: 1, column: 1, length: 1 };

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
