import { resolve } from 'node:path';
import { completeConfig } from './complete.ts';
import { explain, type Finding, valueAt } from './explain.ts';
import { maskSecrets, maskSpan } from './mask.ts';
import { type ConfigOptions, expandHome } from './paths.ts';
import { type ConfigProblem, type PathPart, pathText } from './problem.ts';
import { readConfigText } from './read.ts';
import * as rules from './rules/index.ts';
import { type Config, configSchema } from './schema.ts';
import { type ConfigSource, readSource } from './source.ts';
import { wording } from './wording.ts';

export { type ConfigProblem, renderProblems } from './problem.ts';

export type LoadedConfig = { ok: true; config: Config; warnings: string[] } | { ok: false; problems: ConfigProblem[] };

const MOST_PROBLEMS = 50;

/** Settings written with nothing behind the colon count as left out, so that a block can be commented out. */
function withoutEmpty(root: unknown): unknown {
  const strip = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null))
      : value;
  const top = strip(root);
  if (typeof top !== 'object' || top === null || Array.isArray(top)) return top;
  return Object.fromEntries(
    Object.entries(top).map(([key, value]) => {
      if (key === 'machine' || key === 'limits' || key === 'escalate') return [key, strip(value)];
      if (key !== 'services' || typeof value !== 'object' || value === null || Array.isArray(value))
        return [key, value];
      return [key, Object.fromEntries(Object.entries(value).map(([name, service]) => [name, strip(service)]))];
    }),
  );
}

/** Puts a value at a path that exists. */
function put(root: unknown, path: readonly PathPart[], value: unknown): void {
  const parent = valueAt(root, path.slice(0, -1));
  const last = path.at(-1);
  if (Array.isArray(parent) && typeof last === 'number') parent[last] = value;
  else if (typeof parent === 'object' && parent !== null && last !== undefined)
    Object.assign(parent, { [String(last)]: value });
}

/** Judges the form. A number where a text belongs (`--port, 8080`) is taken as it was written. */
function judge(root: unknown, source: ConfigSource) {
  let parsed = configSchema.safeParse(root, { error: wording });
  if (parsed.success) return { parsed, findings: [] };
  let findings = explain(parsed.error.issues, root, configSchema);
  const plain = findings.filter((finding) => finding.plainText);
  if (plain.length > 0) {
    for (const { path } of plain) put(root, path, source.written(path) ?? String(valueAt(root, path)));
    parsed = configSchema.safeParse(root, { error: wording });
    findings = parsed.success ? [] : explain(parsed.error.issues, root, configSchema);
  }
  return { parsed, findings };
}

/** Gives a finding its place in the file. */
function locate(finding: Finding, file: string, source: ConfigSource): ConfigProblem {
  const placeAt = (path: PathPart[], at: 'key' | 'value') =>
    at === 'key' ? source.keyPlace(path) : source.valuePlace(path);
  const place = placeAt(finding.path, finding.at);
  const line = source.lines[place.line - 1] ?? '';
  const { also } = finding;
  const other = also && placeAt(also.path, also.at);
  return {
    file,
    place,
    path: pathText(finding.path),
    source: maskSecrets(finding.secret ? maskSpan(line, place.column - 1, place.length) : line),
    message: finding.message,
    ...(finding.suggestion === undefined ? {} : { suggestion: finding.suggestion }),
    ...(also && other
      ? {
          also: {
            place: other,
            path: pathText(also.path),
            source: maskSecrets(source.lines[other.line - 1] ?? ''),
            message: also.message,
          },
        }
      : {}),
  };
}

function duplicateProblems(file: string, source: ConfigSource): ConfigProblem[] {
  const paths = source.duplicates.map(({ path }) => path);
  // Within what stands twice, everything does.
  const within = (path: PathPart[]): boolean =>
    paths.some((outer) => outer.length < path.length && outer.every((part, index) => part === path[index]));
  const outermost = source.duplicates.filter(({ path }) => !within(path));
  return outermost.map(({ path, first, second }) => {
    const name = String(path.at(-1));
    const message =
      path.length === 2 && path[0] === 'services'
        ? `the service ${name} is named twice; give one of them another name, or make them one`
        : `"${name}" stands twice in one place; only one can count`;
    return {
      file,
      place: second,
      path: pathText(path),
      source: maskSecrets(source.lines[second.line - 1] ?? ''),
      message,
      also: {
        place: first,
        path: pathText(path),
        source: maskSecrets(source.lines[first.line - 1] ?? ''),
        message: 'the first one',
      },
    };
  });
}

const byPlace = (a: ConfigProblem, b: ConfigProblem): number =>
  (a.place?.line ?? 0) - (b.place?.line ?? 0) || (a.place?.column ?? 0) - (b.place?.column ?? 0);

/** The same spot is told once: what the schema says goes before what the rules say. */
function tidy(problems: ConfigProblem[]): ConfigProblem[] {
  const seen = new Set<string>();
  const once = problems.filter((problem) => {
    const key = `${problem.path} ${problem.place?.line}:${problem.place?.column}`;
    return !seen.has(key) && Boolean(seen.add(key));
  });
  return once.sort(byPlace).slice(0, MOST_PROBLEMS);
}

/** Reads nightshift.yaml and checks all of it: the completed configuration, or every problem that was found, in the order of the file. */
export function loadConfig(file: string, options: ConfigOptions): LoadedConfig {
  const path = resolve(expandHome(file, options.home));
  const whole = (message: string): LoadedConfig => ({
    ok: false,
    problems: [{ file, place: null, path: '', source: null, message }],
  });
  const read = readConfigText(path);
  if (!read.ok) return whole(read.error);
  const lines = read.value.split(/\r\n|\n|\r/);
  const understood = readSource(read.value);
  if (!understood.ok)
    return {
      ok: false,
      problems: understood.problems.map(({ place, message }) => ({
        file,
        place,
        path: '',
        source: maskSecrets(lines[place.line - 1] ?? ''),
        message,
      })),
    };
  const { source } = understood;
  if (source === null) return whole('the file is empty; `nightshift init` writes one from what runs on this machine');
  const root = withoutEmpty(source.value);
  const { parsed, findings } = judge(root, source);
  const inventory = rules.looseInventory(root);
  const all = [
    ...rules.secretFindings(inventory),
    ...rules.nameFindings(inventory),
    ...findings,
    ...rules.dependencyFindings(inventory),
    ...rules.serviceFindings(inventory),
    ...rules.portFindings(inventory),
    ...rules.checkFindings(inventory),
  ];
  const problems = [...duplicateProblems(file, source), ...all.map((finding) => locate(finding, file, source))];
  if (problems.length > 0 || !parsed.success) return { ok: false, problems: tidy(problems) };
  const config = completeConfig(parsed.data, { ...options, file: path });
  return { ok: true, config, warnings: rules.secretWarnings(inventory) };
}
