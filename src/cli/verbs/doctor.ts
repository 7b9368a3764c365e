import { stateWord, table } from '../terminal.ts';
import type { Verb } from '../verb.ts';

/** What is missing for Nightshift to work here, each with the command that mends it. Exit 0 when nothing is. */
const doctor: Verb = async (context) => {
  const { terminal, options } = context;
  const { examine } = await import('../doctor/index.ts');
  const done = terminal.busy('looking …');
  const findings = await examine(context);
  done();
  const missing = findings.filter((finding) => finding.state === 'missing');
  if (options.json) terminal.line(JSON.stringify(findings, null, 2));
  else {
    table(
      terminal,
      findings.map((finding) => [finding.state, finding.about, finding.text]),
      (cell, column) => (column === 0 ? stateWord(terminal, cell.trim(), cell.length) : cell),
    );
    const remedies = findings.filter((finding) => finding.remedy !== null);
    if (remedies.length > 0) terminal.line();
    for (const { about, remedy } of remedies)
      terminal.line(
        `${about}:\n${String(remedy)
          .split('\n')
          .map((line) => `    ${line}`)
          .join('\n')}`,
      );
    terminal.line();
    terminal.line(
      missing.length === 0
        ? 'nothing is missing · next  nightshift watch'
        : `${missing.length} missing: what stands above mends it`,
    );
  }
  return missing.length > 0 ? 1 : 0;
};
export default doctor;
