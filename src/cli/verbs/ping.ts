import { CannotRun, configFor, storeFor, type Verb } from '../verb.ts';

/** Says that NAME has just run; a `heartbeat: NAME` check measures how long ago that was. */
const ping: Verb = async (context) => {
  const name = context.arguments[0] ?? '';
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) throw new CannotRun(`a name of letters, digits, dots and dashes was expected, not ${JSON.stringify(name)}`);
  const config = await configFor(context);
  const store = await storeFor(context, config);
  store.health.ping(name);
  store.close();
  context.terminal.line(`${name} has run`);
  return 0;
};
export default ping;
