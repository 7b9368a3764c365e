import { redactResult } from '../../guard/redact-values.ts';
import type { CheckResult } from '../../health/check.ts';
import { inventoryFor } from '../inventory.ts';
import { stateFolderProblem } from '../state-folder.ts';
import { isoTime, stateWord, table } from '../terminal.ts';
import { requireService, type Verb } from '../verb.ts';

/** Every check once, now: exit 0 when all pass, 1 when something fails, 2 when it cannot run. For cron and systemd timers. */
const check: Verb = async (context) => {
  const { terminal, options } = context;
  const config = await inventoryFor(context);
  for (const name of context.arguments) await requireService(config, name);
  const problem = stateFolderProblem(config.stateFolder, 'read');
  if (problem) terminal.error(`warning: measured without history, ${problem.text}`);
  const { buildMeasuring } = await import('../../app.ts');
  const measuring = await buildMeasuring(config, context);
  const wanted = context.arguments.length > 0 ? [...new Set(context.arguments)] : [...config.services.keys()];
  const checks = wanted.flatMap((name) => config.services.get(name)?.checks ?? []);
  const done = terminal.busy('measuring …');
  const measured = await measuring.monitor.measure(checks);
  const results = measured.map((result) => redactResult(result, (text) => measuring.redactor.redact(text)));
  measuring.close();
  done();
  const failing = results.filter((result) => result.verdict === 'warn' || result.verdict === 'critical').length;
  const unknown = results.filter((result) => result.verdict === 'unknown').length;
  const passing = results.length - failing - unknown;
  if (options.json) {
    const counts = { ok: passing, failing, unknown };
    const report = {
      name: config.name,
      config: config.file,
      at: isoTime(Date.now()),
      counts,
      results: results.map(shown),
    };
    terminal.line(JSON.stringify(report, null, 2));
  } else if (results.length === 0) {
    terminal.line(
      `there is nothing to check${context.arguments.length > 0 ? ` for ${context.arguments.join(', ')}` : ''}: a service has the checks that are listed under its checks:`,
    );
  } else {
    table(
      terminal,
      results.map((result) => [result.verdict, result.check, result.summary]),
      (cell, column) => (column === 0 ? stateWord(terminal, cell.trim(), cell.length) : cell),
    );
    const unmeasured = unknown > 0 ? `, ${unknown} could not be measured` : '';
    terminal.line(`${passing} of ${results.length} checks pass${unmeasured}`);
    if (config.file === null) terminal.line('no nightshift.yaml: this is what was found here · next  nightshift init');
  }
  if (failing > 0) return 1;
  return results.length > 0 && unknown === results.length ? 2 : 0;
};
export default check;

const shown = ({
  check,
  service,
  kind,
  verdict,
  reason,
  summary,
  value,
  unit,
  at,
  durationMs,
  facts,
}: CheckResult) => ({
  check,
  service,
  kind,
  verdict,
  reason: reason ?? null,
  summary,
  value: value ?? null,
  unit: unit ?? null,
  at: isoTime(at),
  duration_ms: durationMs,
  facts: facts ?? {},
});
