// Counts what the package costs, and compares it with bench/counts.json: bytes and calls of a request and of work within it,
// above the same application without the package; files of a start and of an installation. No time is measured.
// Usage: node bench/counts.mjs [--update]. With `--update` it records the counts for the major version of Node that runs it.
import { readFileSync, writeFileSync } from 'node:fs';
import { change, excesses, figure } from './counts/compare.mjs';
import { countInstallation } from './counts/installation.mjs';
import { print, table } from './support/figures.mjs';
import { run } from './support/processes.mjs';

const RECORD = new URL('counts.json', import.meta.url);
/** Room for all that is allocated between two collections, and no compiler that leaves out allocations. */
const FLAGS = [
  '--expose-gc',
  '--min-semi-space-size=128',
  '--max-semi-space-size=128',
  '--no-memory-reducer',
  '--single-threaded',
  '--no-opt',
  '--no-maglev',
];
/** What each route does, beside the one that does nothing. */
const WORK = {
  methods: 'method with @TrackPerformance',
  statements: 'statement',
  calls: 'outgoing request',
  spans: 'span of the application',
};

/** With and without the package, at the same time: no count depends on the time that it takes. */
async function countWork(framework, routes) {
  const [bare, ours] = await Promise.all(
    ['bare', 'ours'].map((variant) =>
      run('counts/work.mjs', [framework, variant, 'nothing', ...routes], FLAGS),
    ),
  );
  const added = (route) => ours.bytes[route] - bare.bytes[route];
  return { bare, ours, added };
}

function countsOfRequest(name, { added, ours }) {
  return { [`${name}: bytes allocated`]: added('nothing'), [`${name}: calls`]: ours.calls.nothing };
}

async function countProcesses() {
  const express = await countWork('express', Object.keys(WORK));
  const fastify = await countWork('fastify', []);
  const { bare, ours, added } = express;
  const counts = {};
  for (const [unit, count] of Object.entries(ours.atStart))
    counts[`start: ${unit}`] = count - bare.atStart[unit];
  Object.assign(counts, countsOfRequest('request on Express', express));
  Object.assign(counts, countsOfRequest('request on Fastify', fastify));
  for (const [route, name] of Object.entries(WORK)) {
    counts[`${name}: bytes allocated`] = (added(route) - added('nothing')) / ours.pieces;
    counts[`${name}: calls`] = (ours.calls[route] - ours.calls.nothing) / ours.pieces;
  }
  return counts;
}

function rounded(counts) {
  return Object.fromEntries(
    Object.entries(counts).map(([name, count]) => [name, Math.round(count * 10) / 10]),
  );
}

// Variables that change what the package or Node does.
for (const name of Object.keys(process.env))
  if (/^(?:OTEL_|NODE_ENV$|NODE_OPTIONS$|SERVICE_NAME$|ENDPOINT$)/.test(name)) delete process.env[name];

const EVERY_NODE = 'every Node';
const { node: version } = process.versions;
const line = `Node ${version.split('.')[0]}`;
const minorOf = (text) => text.split('.', 2).join('.');

const update = process.argv.includes('--update');
const record = JSON.parse(readFileSync(RECORD, 'utf8'));
const present = { [EVERY_NODE]: { counts: rounded(await countInstallation()) } };
if (update || Object.hasOwn(record, line))
  present[line] = { version, counts: rounded(await countProcesses()) };
else print(`skipped: what runs on ${line}, of which bench/counts.json records nothing`);

const sentences = [];
for (const [part, { counts }] of Object.entries(present)) {
  const recorded = record[part] ?? { counts: {} };
  const title = recorded.version === undefined ? part : `${version}, recorded with ${recorded.version}`;
  table(
    [title, 'recorded', 'now', 'change'],
    Object.entries(counts).map(([name, count]) => {
      if (!Object.hasOwn(recorded.counts, name)) return [name, '', figure(count), ''];
      return [name, figure(recorded.counts[name]), figure(count), change(recorded.counts[name], count)];
    }),
  );
  print('');
  const isSameVersion = part === EVERY_NODE || minorOf(recorded.version ?? '') === minorOf(version);
  sentences.push(...excesses(recorded.counts, counts, isSameVersion));
}
if (update) {
  const all = { ...record, ...present };
  const sorted = Object.fromEntries(
    Object.keys(all)
      .sort()
      .map((part) => [part, all[part]]),
  );
  writeFileSync(RECORD, `${JSON.stringify(sorted, null, 2)}\n`);
} else if (sentences.length > 0) {
  process.exitCode = 1;
  process.stderr.write(
    `${sentences.join('\n')}\nMake it cheaper. If it is worth its cost, record it with each Node of bench/counts.json by ` +
      'npm run counts -- --update, and say why in the commit.\n',
  );
}
