// The arrows of ARCHITECTURE.md as rules that fail `pnpm check`. Type-only imports count; tests are free.

/** What each folder of packages/core/src may import beside itself. A new folder needs a line here. */
const coreArrows = {
  errors: [],
  messages: ['errors'],
  'event-store': ['messages', 'errors'],
  'in-memory': ['event-store', 'messages', 'errors'],
  codec: ['event-store', 'messages', 'errors'],
  definition: ['codec', 'event-store', 'messages', 'errors'],
  decorators: ['definition', 'codec', 'event-store', 'messages', 'errors'],
  'command-handling': ['definition', 'codec', 'event-store', 'messages', 'errors'],
  'query-handling': ['definition', 'codec', 'event-store', 'messages', 'errors'],
  application: [
    'in-memory',
    'command-handling',
    'query-handling',
    'decorators',
    'definition',
    'codec',
    'event-store',
    'messages',
    'errors',
  ],
}

/** What each workspace member may import of the others. */
const packageArrows = {
  'packages/core': [],
  'packages/local-store': ['packages/core'],
  'packages/kafka-eventstore': ['packages/core', 'packages/local-store'],
  'packages/projections': ['packages/core'],
  'packages/testing': ['packages/core', 'packages/projections'],
  'packages/cli': ['packages/core', 'packages/projections'],
  'samples/order-service': [
    'packages/core',
    'packages/local-store',
    'packages/kafka-eventstore',
    'packages/projections',
    'packages/testing',
  ],
  bench: [
    'packages/core',
    'packages/local-store',
    'packages/kafka-eventstore',
    'packages/projections',
    'packages/testing',
  ],
  faults: ['packages/core', 'packages/kafka-eventstore', 'packages/projections', 'packages/testing'],
}

const anyOf = (names) => `(${names.join('|')})`
const inCore = (names) => `^packages/core/src/${anyOf(names)}/`

const coreRules = Object.entries(coreArrows).map(([folder, allowed]) => ({
  name: `core-${folder}`,
  comment: `Inside core, ${folder} may import ${allowed.join(', ') || 'nothing'}: each folder stands on those before it, so that a reader can learn them one at a time and a change never travels backwards.`,
  severity: 'error',
  from: { path: inCore([folder]) },
  to: { path: '^packages/core/src/', pathNot: inCore([folder, ...allowed]) },
}))

const packageRules = Object.entries(packageArrows).map(([member, allowed]) => ({
  name: `${member.replace('/', '-')}-arrows`,
  comment: `${member} may import ${allowed.join(', ') || 'no other member'}: adapters know core and not each other, so each of them can be left out or replaced; local-store alone serves two: as a store, and as Kafka’s replica on disk.`,
  severity: 'error',
  from: { path: `^${member}/src/` },
  to: { path: `^${anyOf(Object.keys(packageArrows))}/`, pathNot: `^${anyOf([member, ...allowed])}/` },
}))

module.exports = {
  forbidden: [
    ...packageRules,
    ...coreRules,
    {
      name: 'core-folders-are-known',
      comment: 'A folder of core that is not in the table above has no place among the arrows: give it one.',
      severity: 'error',
      from: { path: '^packages/core/src/[^/]+/', pathNot: inCore(Object.keys(coreArrows)) },
      to: {},
    },
    {
      name: 'through-the-index',
      comment:
        'Another package is used through its public API alone: what its index does not list may change without notice.',
      severity: 'error',
      from: { path: '^(packages/[^/]+|samples/[^/]+|bench|faults)/src/' },
      to: { path: '^packages/[^/]+/', pathNot: ['^$1/', '^packages/[^/]+/src/index[.]ts$'] },
    },
    {
      name: 'by-package-name',
      comment:
        'Another package is imported by its name: a path over package borders does not exist once it is published.',
      severity: 'error',
      from: { path: '^(packages/[^/]+|samples/[^/]+|bench|faults)/src/' },
      to: { path: '^packages/[^/]+/', pathNot: '^$1/', dependencyTypesNot: ['aliased'] },
    },
    {
      name: 'index-is-for-outsiders',
      comment: 'Inside a package, import the file that has the thing: a detour over the index makes a cycle.',
      severity: 'error',
      from: { path: '^(packages/[^/]+)/src/' },
      to: { path: '^$1/src/index[.]ts$' },
    },
    {
      name: 'core-without-network-or-disk',
      comment: 'Core is the programming model: what talks to the world is an adapter behind one of its ports.',
      severity: 'error',
      from: { path: '^packages/core/src/' },
      to: {
        dependencyTypes: ['core'],
        path: '^(node:)?(net|tls|dgram|dns|http|https|http2|fs|child_process|worker_threads|cluster)(/|$)',
      },
    },
    {
      name: 'kafkajs-behind-the-driver',
      comment:
        'kafkajs is unmaintained: only the driver knows it, so that another client can take its place without the protocol noticing.',
      severity: 'error',
      from: { path: '^packages/', pathNot: '^packages/kafka-eventstore/src/driver/' },
      to: { path: 'node_modules/kafkajs/' },
    },
    {
      name: 'class-validator-behind-a-port',
      comment: 'Commands are validated behind a port; one file fills it with class-validator.',
      severity: 'error',
      from: { path: '^packages/core/src/', pathNot: '^packages/core/src/command-handling/' },
      to: { path: 'node_modules/(class-validator|class-transformer)/' },
    },
    {
      name: 'no-cycles',
      comment: 'Files in a cycle can only be understood, tested and moved together.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'declared-dependencies',
      comment: 'What the published code imports must be in dependencies or peerDependencies, or users do not have it.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['npm', 'npm-peer', 'type-only'],
      },
    },
    {
      name: 'resolvable',
      comment: 'An import that does not resolve is a typing error, or a package nobody installs.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // Tests may look anywhere: they are not part of what the arrows protect.
    exclude: { path: ['[.]test[.]ts$', '[.]test-'] },
    doNotFollow: { path: ['node_modules', '/dist/'] },
    tsPreCompilationDeps: true,
    // Its paths lead from a package name to that package's sources, so cycles show across packages too.
    tsConfig: { fileName: 'tsconfig.test.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
}
