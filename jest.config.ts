/** @jest-config-loader ts-node */
/** @jest-config-loader-options {"transpileOnly": true, "compilerOptions": {"module": "commonjs", "moduleResolution": "node10", "ignoreDeprecations": "6.0"}} */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from 'jest';

/** Packages that are ECMAScript modules or import them, which Jest's CommonJS mode needs transformed. */
const ESM_PACKAGES = [
  '@nestjs',
  '@opentelemetry/exporter-metrics-otlp-http',
  '@opentelemetry/otlp-exporter-base',
  '@keyv',
  'keyv',
  'cache-manager',
  'typeorm',
  'file-type',
  'preact',
  'strtok3',
  'token-types',
  'uint8array-extras',
];

/**
 * Suites of real applications, processes and browsers. Paths below test/, folders with their slash: a suite that is not
 * listed is a unit test.
 */
const SYSTEM = [
  'cli/command-line.spec.ts',
  'cost/',
  'dashboard/page-find.spec.ts',
  'dashboard/page-first-view.spec.ts',
  'dashboard/page-live.spec.ts',
  'dashboard/page-locale.spec.ts',
  'dashboard/page-operation.spec.ts',
  'dashboard/page-use.spec.ts',
  'dashboard/page.spec.ts',
  'decorators/returned-values.spec.ts',
  'deploy/live.spec.ts',
  'faults/',
  'fleet/alert-processes.spec.ts',
  'fleet/page.spec.ts',
  'fleet/processes.spec.ts',
  'fleet/profile-processes.spec.ts',
  'mcp/agent.spec.ts',
  'packaging/',
  'profiling/heap-snapshots.spec.ts',
  'profiling/profiling-lifetime.spec.ts',
  'profiling/ring-processes.spec.ts',
  'profiling/slow-files.spec.ts',
  'resources/leak-end-to-end.spec.ts',
  'sample-app/store-life.spec.ts',
  'sample-app/store-start.spec.ts',
  'tracing/late-drivers.spec.ts',
  'tracing/lifetime.spec.ts',
];

/** System suites that judge what ran on the CPU, or for how long: they run one after the other, with no other beside. */
const SERIAL = [
  'causes/',
  'event-loop/',
  'explain/calling-spans.spec.ts',
  'explain/explained-spans.spec.ts',
  'handlers/schedules.spec.ts',
  'overhead/budget.spec.ts',
  'profiling/context-tracker.spec.ts',
  'profiling/ground-truth.spec.ts',
  'profiling/profiled-idle.spec.ts',
  'profiling/profiled-requests.spec.ts',
  'sample-app/music-store.spec.ts',
];

for (const path of [...SYSTEM, ...SERIAL])
  if (!existsSync(join(__dirname, 'test', path)))
    throw new Error(`test/${path} is listed but does not exist`);
const specs = (path: string): string => `<rootDir>/test/${path}${path.endsWith('/') ? '**/*.spec.ts' : ''}`;

const project: Config = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  setupFiles: ['<rootDir>/test/support/lasting-channels.ts'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'json'],
  moduleNameMapper: {
    '^nestjs-performance$': '<rootDir>/lib/index.ts',
    // The page is bundled by the build.
    '/page-bundle\\.js$': '<rootDir>/dist/modules/dashboard/page-bundle.js',
    // TypeScript's imports name the file that will be built.
    '^(\\.{1,2}/.*)\\.js$': ['$1', '$1.js'],
  },
  modulePathIgnorePatterns: [
    '<rootDir>/dist',
    '<rootDir>/test/consumers',
    '<rootDir>/test/causes/app/dist',
    '<rootDir>/test/profiling/app/dist',
    '<rootDir>/sample-app/dist',
  ],
  transform: {
    '\\.[cm]?[jt]s$': [
      '@swc/jest',
      {
        sourceMaps: 'inline',
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'commonjs', ignoreDynamic: false },
      },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(?:${ESM_PACKAGES.join('|')})/)`],
};

const config: Config = {
  // For what hangs: a busy machine takes several times as long as an idle one.
  testTimeout: 60_000,
  maxWorkers: '100%',
  // A process that has grown is replaced: what all tests leave behind makes the last ones slow.
  workerIdleMemoryLimit: '450MB',
  projects: [
    {
      ...project,
      displayName: 'unit',
      testMatch: ['**/*.spec.ts'],
      testPathIgnorePatterns: [...SYSTEM, ...SERIAL].map((path) => `<rootDir>/test/${path}`),
    },
    { ...project, displayName: 'system', testMatch: SYSTEM.map(specs) },
    {
      ...project,
      displayName: 'serial',
      testMatch: SERIAL.map(specs),
      runner: '<rootDir>/test/support/serial-runner.cjs',
    },
  ],
};

export default config;
