/** @jest-config-loader ts-node */
/** @jest-config-loader-options {"transpileOnly": true, "compilerOptions": {"module": "commonjs", "moduleResolution": "node10", "ignoreDeprecations": "6.0"}} */
import type { Config } from 'jest';

/** Packages that are ECMAScript modules only, which Jest's CommonJS mode needs transformed. */
const ESM_PACKAGES = [
  '@nestjs',
  '@keyv',
  'keyv',
  'cache-manager',
  'typeorm',
  'file-type',
  'strtok3',
  'token-types',
  'uint8array-extras',
];

const config: Config = {
  testEnvironment: 'node',
  testTimeout: 20_000,
  // Tests that wait for a process of their own would starve each other.
  maxWorkers: 1,
  // In a process that is replaced when it has grown: what all tests leave behind makes the last ones slow.
  workerIdleMemoryLimit: '450MB',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.spec.ts'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'json'],
  moduleNameMapper: {
    '^nestjs-performance$': '<rootDir>/lib/index.ts',
    // The page is bundled by the build.
    '/page-bundle\\.js$': '<rootDir>/dist/cjs/dashboard/page-bundle.js',
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

export default config;
