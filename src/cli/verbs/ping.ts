import type { Config } from '../../config/schema.ts';
import { CannotRun, configFor, storeFor, type Verb } from '../verb.ts';

/** Says that NAME has just run; a `heartbeat: NAME` check measures how long ago that was. */
const ping: Verb = async (context) => {
  const name = context.arguments[0] ?? '';
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name))
    throw new CannotRun(`a name of letters, digits, dots and dashes was expected, not ${JSON.stringify(name)}`);
  const config = await configFor(context);
  const store = await storeFor(context, config);
  store.health.ping(name);
  store.close();
  context.terminal.line(`${name} has run`);
  const awaited = heartbeatsOf(config);
  if (!awaited.includes(name)) {
    const { nearest } = await import('../../config/nearest.ts');
    const meant = nearest(name, awaited);
    context.terminal.error(
      `note: no check waits for it yet${meant ? `. Did you mean ${meant}?` : `; one is written  - heartbeat: ${name}`}`,
    );
  }
  return 0;
};
export default ping;

const heartbeatsOf = (config: Config): string[] =>
  [...config.services.values()].flatMap(({ checks }) =>
    checks.flatMap(({ settings }) => ('heartbeat' in settings ? [settings.heartbeat] : [])),
  );
