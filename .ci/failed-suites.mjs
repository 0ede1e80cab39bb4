// Prints the test files of a report of Jest that have a failure, one per line.
import { existsSync, readFileSync } from 'node:fs';

const [, , file] = process.argv;
const { testResults = [] } = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
for (const { name, status } of testResults) if (status === 'failed') process.stdout.write(`${name}\n`);
