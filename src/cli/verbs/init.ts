import { existsSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { messageOf } from '../../base/outcome.ts';
import { lookAround } from '../inventory.ts';
import { count } from '../terminal.ts';
import { CannotRun, type Verb } from '../verb.ts';

/** Writes a commented nightshift.yaml from what runs on this machine. An existing one is kept unless `--force`. */
const init: Verb = async (context) => {
  const { terminal, options } = context;
  const { renderConfigYaml } = await import('../../config/write.ts');
  const file = resolve(context.directory, typeof options.config === 'string' ? options.config : 'nightshift.yaml');
  if (!options.print && existsSync(file) && !options.force) {
    throw new CannotRun(
      `${file} is there already: nightshift init --print shows what would be written, --force replaces it`,
    );
  }
  if (!options.print && !existsSync(dirname(file)))
    throw new CannotRun(`there is no folder ${dirname(file)} to write to`);
  const { discovery } = await lookAround(terminal);
  const name =
    hostname()
      .split('.')[0]
      ?.toLowerCase()
      .replace(/[^a-z0-9.-]/g, '-') || 'home';
  const yaml = renderConfigYaml(discovery, { name });
  if (options.print) {
    terminal.write(yaml);
    return 0;
  }
  try {
    writeFileSync(file, yaml, { flag: options.force ? 'w' : 'wx', mode: 0o644 });
  } catch (error) {
    throw new CannotRun(`${file} cannot be written: ${messageOf(error)}. nightshift init --print shows it instead`);
  }
  const { length } = discovery.services;
  terminal.line(
    `wrote ${file}: ${length === 0 ? 'no service was found, only the machine itself' : count(length, 'service')}`,
  );
  for (const note of discovery.notes) terminal.line(`note  ${note}`);
  terminal.line(
    `next  read it and ${length === 0 ? 'add' : 'keep'} what matters, then: nightshift check && nightshift watch`,
  );
  return 0;
};
export default init;
