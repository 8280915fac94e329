import js from '@eslint/js'
import tseslint from 'typescript-eslint'

/** What a seed must replay goes through a port; only these files touch the real thing. */
const adapters = [
  'src/base/clock.ts',
  'src/base/random.ts',
  'src/base/disk.ts',
  'src/storage/holds/lmdb-file.ts',
  // the local file system, which a seed has no say in
  ...['open-directory', 'local-file', 'local-target', 'target-directory', 'owner-names'].map(
    (name) => `src/local/${name}.ts`,
  ),
  ...[
    'compare-entry',
    'directory-mark',
    'part',
    'placing',
    'place-entry',
    'settle',
    'sparse-writer',
    'local-stats',
    'native',
  ].map((name) => `src/local/${name}.ts`),
  'src/backup/memory/disk-cache-folder.ts',
  'src/backup/backup-paths.ts',
  'src/backup/restore/restore-thread.ts',
  'src/backup/restore/restore-worker.ts',
  'src/node/net/libp2p-net.ts',
  'src/node/net/unix-net.ts',
  'src/node/encoder/file-source.ts',
  'src/node/encoder/encoder-worker.ts',
  'src/node/encoder/encoder-thread.ts',
  'src/node/home/home.ts',
  'src/node/home/home-lock.ts',
  'src/cli/**',
]

const nondeterminism = {
  'no-restricted-globals': [
    'error',
    ...['setTimeout', 'setInterval', 'setImmediate', 'performance', 'fetch', 'crypto'].map(
      (name) => ({
        name,
        message: 'take it through a port (src/base), so that the simulation can replay it',
      }),
    ),
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'use a Clock' },
    { object: 'Math', property: 'random', message: 'use a Random' },
    { object: 'AbortSignal', property: 'timeout', message: 'use deadline.ts' },
  ],
  'no-restricted-syntax': [
    'error',
    { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'use a Clock' },
  ],
  'no-restricted-imports': [
    'error',
    {
      paths: [
        ...[
          'fs',
          'net',
          'dgram',
          'http',
          'https',
          'tls',
          'child_process',
          'worker_threads',
          'os',
          'timers',
          'dns',
        ].flatMap((name) => [
          { name: `node:${name}`, message: 'only adapters touch the machine' },
          { name: `node:${name}/promises`, message: 'only adapters touch the machine' },
        ]),
        {
          name: 'node:crypto',
          importNames: ['randomBytes', 'randomInt', 'randomUUID', 'webcrypto'],
          message: 'use a Random',
        },
      ],
    },
  ],
}

export default tseslint.config(
  {
    ignores: ['dist/', 'coverage/', 'docs/', 'src/**/assembly/', 'src/**/*.wasm.ts'],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json' } },
    rules: {
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/prefer-literal-enum-member': 'off',
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      // indexing gives no undefined here (noUncheckedIndexedAccess is off), so this rule calls needed checks needless
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/unified-signatures': 'off',
    },
  },
  { files: ['src/**/*.ts'], ignores: adapters, rules: nondeterminism },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: ['describe', 'it'] },
      ],
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly', Buffer: 'readonly' },
    },
  },
)
