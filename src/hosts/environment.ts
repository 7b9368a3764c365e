/** What programs get to see of our environment. Keys and tokens that Nightshift was given are none of their business. */
const INHERITED = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'TMPDIR',
  'TZ',
  'XDG_RUNTIME_DIR',
  'XDG_CONFIG_HOME',
  'DBUS_SESSION_BUS_ADDRESS',
  'SSH_AUTH_SOCK',
  'DOCKER_HOST',
  'DOCKER_CONTEXT',
  'DOCKER_CONFIG',
  'DOCKER_CERT_PATH',
  'DOCKER_TLS_VERIFY',
  'PM2_HOME',
];
const LANGUAGE = ['LANG', 'LC_ALL', 'LC_CTYPE'];
/** cron and launchd hand out a PATH without these, and systemctl, ss, nginx or brew's programs live there. */
const USUAL_FOLDERS = [
  '/usr/local/bin',
  '/usr/bin',
  '/bin',
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
  '/opt/homebrew/bin',
];

type Environment = Readonly<Record<string, string | undefined>>;

function inherited(names: readonly string[], from: Environment): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of names) {
    const value = from[name];
    if (value !== undefined) environment[name] = value;
  }
  const folders = (environment.PATH ?? '').split(':').filter(Boolean);
  environment.PATH = [...new Set([...folders, ...USUAL_FOLDERS])].join(':');
  return environment;
}

/** For a command whose output we parse: messages in English, numbers with a dot. */
export const commandEnvironment = (from: Environment, extra: Readonly<Record<string, string>> = {}) => ({
  ...inherited(INHERITED, from),
  LC_ALL: 'C',
  ...extra,
});

/** For a service that we start: the language is the one of this machine, as if a person had started it. */
export const serviceEnvironment = (from: Environment, extra: Readonly<Record<string, string>> = {}) => ({
  ...inherited([...INHERITED, ...LANGUAGE], from),
  ...extra,
});
