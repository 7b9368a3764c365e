import { nearest } from '../../config/nearest.ts';
import { stateWord, table } from '../terminal.ts';
import { CannotRun, configFor, type Verb } from '../verb.ts';

/** Every check once, now: exit 0 when all pass, 1 when something fails, 2 when it cannot run. For cron and systemd timers. */
const check: Verb = async (context) => {
  const { terminal, options } = context;
  const config = await configFor(context);
  const known = [...config.services.keys()];
  for (const name of context.arguments) {
    if (!config.services.has(name)) throw new CannotRun(`there is no service ${name} in ${config.file ?? 'the configuration'}. Did you mean ${nearest(name, known) ?? known.join(', ')}?`);
  }
  const { buildMeasuring } = await import('../../app.ts');
  const measuring = await buildMeasuring(config, context);
  const wanted = context.arguments.length > 0 ? context.arguments : known;
  const checks = wanted.flatMap((name) => config.services.get(name)?.checks ?? []);
  const results = await measuring.monitor.measure(checks);
  measuring.close();
  const failing = results.filter((result) => result.verdict === 'warn' || result.verdict === 'critical');
  const unknown = results.filter((result) => result.verdict === 'unknown');
  if (options.json) {
    const counts = { ok: results.length - failing.length - unknown.length, failing: failing.length, unknown: unknown.length };
    terminal.line(JSON.stringify({ name: config.name, at: new Date().toISOString(), counts, results: results.map((result) => ({ ...result, at: new Date(result.at).toISOString() })) }, null, 2));
  } else {
    if (results.length === 0) terminal.line('there is nothing to check: nightshift init writes a configuration from what runs here');
    table(
      terminal,
      results.map((result) => [result.verdict, result.check, result.summary]),
      (cell, column) => (column === 0 ? stateWord(terminal, cell.trim(), cell.length) : cell),
    );
    if (results.length > 0) terminal.line(`${results.length - failing.length - unknown.length} of ${results.length} checks pass${unknown.length > 0 ? `, ${unknown.length} could not be measured` : ''}`);
  }
  return failing.length > 0 ? 1 : results.length > 0 && unknown.length === results.length ? 2 : 0;
};
export default check;
