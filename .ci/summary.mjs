// Prints how many tests have passed and failed, by Jest's report of all suites and the report of those that were run again.
import { existsSync, readFileSync } from 'node:fs';

const [, , first, second, otherPassed, otherFailed] = process.argv;
const read = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined);
const keyOf = (suite, test) => `${suite.name} ${test.fullName}`;

const all = read(first) ?? {
  numPassedTests: 0,
  numFailedTests: 0,
  numRuntimeErrorTestSuites: 1,
  testResults: [],
};
const again = new Map();
for (const suite of read(second)?.testResults ?? [])
  for (const test of suite.assertionResults) again.set(keyOf(suite, test), test.status);

let passed = all.numPassedTests + Number(otherPassed);
let failed = all.numFailedTests + all.numRuntimeErrorTestSuites + Number(otherFailed);
for (const suite of all.testResults)
  for (const test of suite.assertionResults)
    if (test.status === 'failed' && again.get(keyOf(suite, test)) === 'passed') {
      process.stdout.write(`Passed when run alone: ${test.fullName}\n`);
      passed++;
      failed--;
    }

process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;
