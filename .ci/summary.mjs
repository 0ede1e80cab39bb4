// Prints how many tests have passed and failed, and which failed, by pairs of Jest's reports: of all suites, and of those that
// were run again alone, of which there may be no report. Usage: node summary.mjs PASSED FAILED [REPORT SECOND_REPORT]..., with
// the counts of what is no test of Jest.
import { existsSync, readFileSync } from 'node:fs';

const [, , otherPassed, otherFailed, ...reports] = process.argv;
const read = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined);
const say = (line) => process.stdout.write(`${line}\n`);

let passed = Number(otherPassed);
let failed = Number(otherFailed);

function count(first, second) {
  const all = read(first);
  if (all === undefined) {
    failed++;
    say(`Failed: there is no report of Jest in ${first}`);
    return;
  }
  passed += all.numPassedTests;
  failed += all.numFailedTests + all.numRuntimeErrorTestSuites;
  const again = new Map((read(second)?.testResults ?? []).map((suite) => [suite.name, suite]));
  for (const suite of all.testResults) {
    const repeated = again.get(suite.name)?.assertionResults ?? [];
    // Cases of one table may have one name.
    const passes = ({ fullName }) => {
      const named = repeated.filter((test) => test.fullName === fullName);
      return named.length > 0 && named.every(({ status }) => status === 'passed');
    };
    if (suite.status === 'failed' && suite.assertionResults.length === 0)
      say(`Failed: ${suite.name} could not be run`);
    for (const test of suite.assertionResults.filter(({ status }) => status === 'failed')) {
      if (!passes(test)) {
        say(`Failed: ${test.fullName} (${suite.name})`);
        continue;
      }
      say(`Passed when run alone: ${test.fullName}`);
      passed++;
      failed--;
    }
  }
}

for (let at = 0; at < reports.length; at += 2) count(reports[at], reports[at + 1]);
say(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
