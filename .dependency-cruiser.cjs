// The arrows of the house: each room may look only at what stands below it.
const room = (name) => `^(src/)?${name}/`;
/** @param {string} from @param {string[]} to */
const never = (from, to, comment) => ({
  name: `${from}-stays-below`,
  severity: 'error',
  comment,
  from: { path: room(from) },
  to: { path: to.map(room) },
});

module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'only-app-and-cli-see-app',
      severity: 'error',
      from: { path: '^(src|tools|memory)/', pathNot: '^src/(app\\.ts|cli/|server/)' },
      to: { path: '^src/(app\\.ts|cli/|server/)' },
    },
    {
      name: 'only-hosts-start-processes',
      severity: 'error',
      from: { path: '^(src|tools|memory)/', pathNot: '^src/(hosts|cli)/' },
      to: { path: '^(node:)?child_process$|node_modules/execa' },
    },
    {
      name: 'only-store-speaks-sql',
      severity: 'error',
      from: { path: '^(src|tools|memory)/', pathNot: '^src/store/' },
      to: { path: 'node_modules/better-sqlite3' },
    },
    {
      name: 'only-models-see-provider-sdks',
      severity: 'error',
      from: { path: '^(src|tools|memory)/', pathNot: '^src/models/' },
      to: { path: 'node_modules/(@anthropic-ai|ollama)/' },
    },
    never(
      'base',
      [
        'config',
        'hosts',
        'store',
        'services',
        'health',
        'incidents',
        'runbooks',
        'guard',
        'models',
        'agent',
        'tools',
        'memory',
      ],
      'base knows nothing of the house',
    ),
    never(
      'config',
      ['hosts', 'store', 'services', 'health', 'incidents', 'runbooks', 'guard', 'models', 'agent', 'tools', 'memory'],
      'config is data',
    ),
    never(
      'hosts',
      ['store', 'services', 'health', 'incidents', 'runbooks', 'guard', 'models', 'agent', 'tools', 'memory'],
      'hosts run commands and know nothing of why',
    ),
    never(
      'services',
      ['health', 'incidents', 'runbooks', 'guard', 'models', 'agent', 'memory'],
      'managers stand above hosts only',
    ),
    never(
      'models',
      ['hosts', 'store', 'services', 'health', 'incidents', 'runbooks', 'guard', 'agent', 'tools', 'memory'],
      'providers speak a wire',
    ),
    {
      ...never('health', ['runbooks', 'guard', 'models', 'agent', 'memory'], 'checks measure'),
      to: { path: ['runbooks', 'guard', 'models', 'agent', 'memory'].map(room) },
    },
    {
      ...never(
        'tools',
        ['agent', 'guard', 'models', 'store'],
        'tools see the house through the context they are handed',
      ),
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
