// Writes the generated sections of docs/ from the code, and checks the documents.
// Usage: node tools/docs.mjs [--check] [FOLDER]   FOLDER holds README.md and docs/; default: this repository
// --check writes nothing; it lists what is stale or broken, and ends with 1 if anything is. Needs `npm run build`.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CAUSES, FINDINGS } from './docs/causes.mjs';
import { commandHelp } from './docs/command.mjs';
import { routeTable } from './docs/endpoint.mjs';
import { fieldTable, memberTable, wordTable } from './docs/fields.mjs';
import { documentFaults, documents } from './docs/links.mjs';
import { metricTable, prometheusNames } from './docs/metrics.mjs';
import { assertVariables, optionRules, optionTables } from './docs/options.mjs';
import { readProgram } from './docs/program.mjs';
import { sectionNames, withSections } from './docs/sections.mjs';
import { spanAttributeTables } from './docs/span-attributes.mjs';
import { variableTable } from './docs/variables.mjs';

const repository = fileURLToPath(new URL('..', import.meta.url));
const { check, folder } = argumentsOf(process.argv.slice(2));

function argumentsOf(given) {
  const folders = given.filter((argument) => argument !== '--check');
  return { check: given.includes('--check'), folder: folders[0] ?? repository };
}

/** Each generated section by its name. */
async function generate() {
  if (!existsSync(join(repository, 'dist/esm/index.js')))
    throw new Error('The package is not built: run npm run build');
  const { PerformanceMonitor, withPerformanceEndpoint } = await import(
    new URL('../dist/esm/index.js', import.meta.url)
  );
  const program = readProgram(repository);
  const monitor = new PerformanceMonitor();
  const names = prometheusNames(repository);
  const metrics = monitor.metrics.list();
  const notOnSpans = new Set([
    ...metrics.map(({ name }) => name.replaceAll('.', '_')),
    ...[...names.values()].flatMap(({ labels }) => labels),
  ]);
  const options = optionTables(program, 'PerformanceOptions', await optionRules(program));
  const variables = await variableTable(program);
  assertVariables(program, options + variables);
  return {
    options,
    variables,
    'module-options': optionTables(program, 'PerformanceModuleExtras', {}, 'Beside the options'),
    'tracking-options': optionTables(
      program,
      'TrackOptions',
      {},
      '@TrackPerformance and withPerformanceTracking',
    ),
    'health-limits': optionTables(
      program,
      'PerformanceHealthLimits',
      {},
      'PerformanceHealthIndicator.isHealthy',
    ),
    'recording-options': optionTables(program, 'RecordPerformanceOptions', {}, 'recordPerformance'),
    'repeated-queries-options': optionTables(
      program,
      'RepeatedQueriesOptions',
      {},
      'toHaveNoRepeatedQueries',
    ),
    metrics: metricTable(metrics, names),
    'span-attributes': spanAttributeTables(program, notOnSpans),
    endpoint: routeTable(program, withPerformanceEndpoint({ paths: {} }).paths),
    command: commandHelp(repository),
    causes: wordTable(program, 'CauseName', ['cause', 'evidence', 'what to do'], CAUSES),
    findings: wordTable(program, 'FindingType', ['type', 'what was found'], FINDINGS),
    service: memberTable(program, 'PerformanceMonitorService'),
    'slow-operation': fieldTable(program, 'SlowOperation'),
    'ranked-cause': fieldTable(program, 'RankedCause'),
    finding: fieldTable(program, 'Finding'),
    regression: fieldTable(program, 'Regression'),
    trend: fieldTable(program, 'Trend'),
    leak: fieldTable(program, 'Leak'),
  };
}

/** As `npm run format` leaves it. */
function formatted(text, file) {
  const biome = fileURLToPath(import.meta.resolve('@biomejs/biome/bin/biome'));
  const args = [biome, 'format', `--stdin-file-path=${file}`];
  return execFileSync(process.execPath, args, { cwd: repository, input: text, encoding: 'utf8' });
}

const sections = await generate();
const faults = [];
const placed = new Set();
for (const file of documents(folder)) {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  const names = sectionNames(text);
  if (names.length === 0) continue;
  for (const name of names) placed.add(name);
  const made = formatted(withSections(text, sections, file), file);
  if (made === text) continue;
  if (check) faults.push(`${file} is stale: run npm run docs`);
  else writeFileSync(path, made);
}
for (const name of Object.keys(sections))
  if (!placed.has(name)) faults.push(`The generated section ${name} is on no page`);
faults.push(...documentFaults(folder));
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.exit(faults.length === 0 ? 0 : 1);
