import { createContext, Script } from 'node:vm';
import type { Environment } from '@marcbachmann/cel-js';
import { failure, messageOf, type Outcome, success } from '../base/outcome.ts';
import { nearest } from '../config/nearest.ts';
import type { Facts } from '../incidents/incident.ts';
import { toCel } from './dialect.ts';
import { factNames, factType } from './fact-names.ts';
import type { Expression } from './runbook.ts';

/** Why an expression was not understood, and where in its text (from 0). */
interface ExpressionProblem {
  message: string;
  offset: number;
}

/** Fact names that do not exist, with the nearest that does. */
interface UnknownFact extends ExpressionProblem {
  name: string;
}

type Cel = typeof import('@marcbachmann/cel-js');
let loading: Promise<{ cel: Cel; environment: Environment }> | undefined;

/** CEL is loaded at the first expression: start-up never pays for it. */
function environment(): Promise<{ cel: Cel; environment: Environment }> {
  loading ??= import('@marcbachmann/cel-js').then((cel) => {
    const built = new cel.Environment({ unlistedVariablesAreDyn: true, limits: { maxAstNodes: 500, maxDepth: 50 } });
    for (const [name, [type]] of Object.entries(factNames)) built.registerVariable(name, type);
    return { cel, environment: built };
  });
  return loading;
}

/**
 * Compiles a symptom (see `toCel` for what may be written). What is asked of a fact that was not measured is `unknown`,
 * and so is a comparison of things that cannot be compared; `false && unknown` is false, `true || unknown` is true.
 */
export async function compileExpression(text: string): Promise<Outcome<Expression>> {
  const compiled = await compileWithPosition(text);
  return compiled.ok ? success(compiled.expression) : failure(`${compiled.problem.message} in: ${text}`);
}

/** The same, with the place of the mistake and the fact names that do not exist. */
export async function compileWithPosition(
  text: string,
): Promise<
  { ok: true; expression: Expression; unknownFacts: UnknownFact[] } | { ok: false; problem: ExpressionProblem }
> {
  const bad = (message: string, offset: number) => ({ ok: false as const, problem: { message, offset } });
  if (text.trim() === '') return bad('an expression was expected', 0);
  const translated = toCel(text);
  if (!translated.ok) {
    const match = /^column (\d+): (.*)$/.exec(translated.error);
    return bad(match?.[2] ?? translated.error, Number(match?.[1] ?? 1) - 1);
  }
  const { cel, sourceOffset } = translated.value;
  const { cel: library, environment: facts } = await environment();
  const checked = facts.check(cel);
  if (!checked.valid) {
    const error = checked.error;
    const what = error instanceof library.ParseError ? 'not understood' : 'cannot be compared';
    return bad(`${what}: ${error?.summary ?? messageOf(error)}`, sourceOffset(error?.range?.start ?? 0));
  }
  if (checked.type !== 'bool' && checked.type !== 'dyn')
    return bad(`a comparison was expected, this is a ${checked.type}`, 0);
  const parsed = facts.parse(cel);
  const places = identifiers(parsed.ast);
  const evaluateNow = callsMatches(parsed.ast) ? withinLimit : (work: () => unknown) => work();
  const patternProblem = badPattern(parsed.ast);
  if (patternProblem) return bad(patternProblem, 0);
  return {
    ok: true,
    expression: {
      text,
      reads: [...places.keys()],
      evaluate(measured) {
        try {
          const value = evaluateNow(() => parsed(known(measured)));
          return typeof value === 'boolean' ? value : 'unknown';
        } catch (error) {
          // CEL itself absorbs an error beside a deciding false or true; one that comes this far leaves the answer open.
          if (error instanceof library.EvaluationError || ranAway(error)) return 'unknown';
          throw error;
        }
      },
    },
    unknownFacts: [...places].flatMap(([name, place]) => unknownFact(name, sourceOffset(place))),
  };
}

const PATTERN_LIMIT_MS = 100;
const sandbox = createContext({ work: null });
const script = new Script('work()');

/** A pattern can run away on a line that a stranger wrote (`(a+)+$`), and would hold up everything: the engine ends it. */
function withinLimit(work: () => unknown): unknown {
  sandbox.work = work;
  return script.runInContext(sandbox, { timeout: PATTERN_LIMIT_MS });
}

const ranAway = (error: unknown): boolean =>
  // It comes from another realm, so it is no `Error` of ours.
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';

function callsMatches(ast: unknown): boolean {
  let found = false;
  visit(ast, (node) => {
    found ||= node.op === 'rcall' && Array.isArray(node.args) && node.args[0] === 'matches';
  });
  return found;
}

function unknownFact(name: string, offset: number): UnknownFact[] {
  if (factType(name) !== null) return [];
  const near = nearest(name, Object.keys(factNames));
  return [{ name, offset, message: `there is no fact called ${name}${near ? `; did you mean ${near}?` : ''}` }];
}

/** Only what was measured: null and not-a-number say that it was not. */
const known = (facts: Facts): Facts =>
  Object.fromEntries(
    Object.entries(facts).filter(
      ([, value]) => value !== null && (typeof value !== 'number' || Number.isFinite(value)),
    ),
  );

/** Every name read, with the offset of its first use. Walks the tree as data, for only names and texts matter here. */
function identifiers(ast: unknown): Map<string, number> {
  const found = new Map<string, number>();
  visit(ast, (node) => {
    if (node.op === 'id' && typeof node.args === 'string' && !found.has(node.args)) found.set(node.args, node.start);
  });
  return found;
}

/** A regular expression that does not compile would leave its symptom unknown for ever. */
function badPattern(ast: unknown): string | null {
  let problem: string | null = null;
  visit(ast, (node) => {
    if (node.op !== 'rcall' || !Array.isArray(node.args) || node.args[0] !== 'matches') return;
    const pattern: unknown = node.args[2]?.[0]?.args;
    if (typeof pattern !== 'string') return;
    try {
      new RegExp(pattern);
    } catch (error) {
      problem = messageOf(error);
    }
  });
  return problem;
}

interface Node {
  op: string;
  args: unknown;
  start: number;
}

function visit(value: unknown, each: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const child of value) visit(child, each);
  } else if (isNode(value)) {
    each(value);
    visit(value.args, each);
  }
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'op' in value && 'args' in value && 'start' in value;
