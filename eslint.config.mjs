// Type-checked lint and the import boundaries of the packages.
import { builtinModules } from 'node:module';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

const SOURCES = ['libs/*/src/**/*.ts', 'temporal/*/src/**/*.ts', 'apps/*/src/**/*.ts', 'test/**/*.ts'];

const NODE = {
  regex: `^(node:.*|${builtinModules.join('|')})$`,
  message: 'This package runs anywhere, the workflow sandbox included: no Node built-ins.',
};
const NEST = {
  regex: '^@nestjs/',
  message: 'Nest belongs to the applications (in libraries: *.module.ts only).',
};
const TEMPORAL = { regex: '^@temporalio/', message: 'This package does not know Temporal.' };
const APPS = {
  regex: '^@hookstream/(api|worker|standalone|cli)$',
  message: 'Applications are imported by nobody.',
};
const own = (allowed, message) => ({ regex: `^@hookstream/(?!(${allowed.join('|')})$)`, message });

/** Which imports a folder may not have. A later entry for the same file replaces an earlier one. */
const boundary = (files, ...patterns) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns }] },
});

const BOUNDARIES = [
  boundary(['libs/*/src/**/*.ts'], NEST, APPS, own(LIBRARIES(), 'Libraries import libraries only.')),
  boundary(['libs/*/src/**/*.module.ts'], APPS, own(LIBRARIES(), 'Libraries import libraries only.')),
  boundary(
    ['libs/domain/src/**/*.ts'],
    NODE,
    NEST,
    TEMPORAL,
    { regex: '^@hookstream/', message: 'The domain depends on no other package.' },
    { regex: '^(pg|typeorm|undici|fastify|pino)$', message: 'The domain does no I/O.' },
  ),
  boundary(
    ['libs/contracts/src/**/*.ts'],
    NODE,
    NEST,
    {
      regex: '^@temporalio/(?!(workflow|common)$)',
      message: 'Contracts use @temporalio/workflow (define…) and @temporalio/common only.',
    },
    own(['domain'], 'Contracts know the domain only.'),
  ),
  boundary(
    ['temporal/workflows/src/**/*.ts'],
    NODE,
    NEST,
    {
      regex: '^@temporalio/(?!(workflow|common)$)',
      message: 'Workflow code runs in the sandbox: @temporalio/workflow and @temporalio/common only.',
    },
    own(['domain', 'contracts'], 'Workflows know the domain and the contracts only.'),
  ),
  // Build time and worker side of the package, outside the sandbox; the bundle holds none of them.
  boundary(['temporal/workflows/src/{bundle,build-bundle}.ts'], NEST, APPS),
  boundary(['temporal/activities/src/**/*.ts'], NEST, APPS, {
    regex: '^@hookstream/workflows',
    message: 'Activities do not know the workflows that call them.',
  }),
  boundary(['apps/api/src/**/*.ts'], APPS, {
    regex: '^@hookstream/(egress|activities|embedded|testing)$|^@temporalio/worker$|^undici$',
    message: 'The API makes no outbound requests and runs no activities.',
  }),
  boundary(['apps/worker/src/**/*.ts'], APPS, {
    regex: '^@hookstream/(embedded|testing)$',
    message: 'For tests and the standalone instance.',
  }),
  boundary(['apps/standalone/src/**/*.ts'], NEST, APPS, {
    regex: '^@hookstream/(egress|activities|workflows|testing)$',
    message: 'The standalone instance only starts the other processes.',
  }),
  boundary(['apps/cli/src/**/*.ts'], NEST, APPS, {
    regex: '^@hookstream/(embedded|workflows|testing)$',
    message: 'The command line uses what the services use, and starts none of them.',
  }),
];

function LIBRARIES() {
  return [
    'domain',
    'contracts',
    'config',
    'observability',
    'signing',
    'egress',
    'persistence',
    'temporal-client',
    'embedded',
    'testing',
  ];
}

const NO_ENVIRONMENT = {
  'no-restricted-properties': [
    'error',
    {
      object: 'process',
      property: 'env',
      message: 'Settings are read in libs/config; everything else takes options.',
    },
  ],
};

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '.hookstream/**', 'coverage/**'] },
  {
    files: SOURCES,
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [
        importX.createNodeResolver({ extensions: ['.ts', '.js'], extensionAlias: { '.js': ['.ts', '.js'] } }),
      ],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // An async function without await keeps its errors in its promise: often just what an interface asks for.
      '@typescript-eslint/require-await': 'off',
      'import-x/no-cycle': ['error', { maxDepth: 20, ignoreExternal: true }],
      'no-console': 'error',
      eqeqeq: 'error',
      ...NO_ENVIRONMENT,
    },
  },
  ...BOUNDARIES,
  {
    // The sandbox loads them once for all runs.
    files: ['temporal/workflows/src/**/*.ts'],
    ignores: ['**/*.spec.ts', 'temporal/workflows/src/{bundle,build-bundle}.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...[
          ':matches(Program, ExportNamedDeclaration) > VariableDeclaration[kind=/let|var/]',
          ':matches(Program, ExportNamedDeclaration) > VariableDeclaration > VariableDeclarator > NewExpression',
        ].map((selector) => ({
          selector,
          message: 'All runs share the modules of workflows: what changes belongs to a run.',
        })),
      ],
    },
  },
  {
    // The one reader of the environment, and the places that hand it to child processes or take it from a test run.
    files: [
      'libs/config/src/**/*.ts',
      'apps/standalone/src/main.ts',
      'apps/cli/src/main.ts',
      'libs/testing/src/**/*.ts',
      'test/**/*.ts',
    ],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    // Programs that talk to a person at a terminal.
    files: [
      'apps/standalone/src/**/*.ts',
      'libs/testing/src/**/*.ts',
      'test/**/*.ts',
      '**/write-*.ts',
      '**/build-bundle.ts',
    ],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.spec.ts', 'test/**/*.ts'],
    rules: {
      // JSON answers and mocks are read as they come.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    // Plain Node, before anything is installed.
    files: ['scripts/prepare.mjs', 'scripts/start.mjs', 'scripts/smoke.mjs'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(?!node:|\\.)',
              message: 'Node built-ins only: this runs before anything is installed.',
            },
          ],
        },
      ],
    },
  },
);
