// The CPU time that a request costs with this package and with other tools, each as its documentation sets it up. Installs them from
// the registry, each into a folder of its own with this version of Nest; one that cannot be installed or started is left out.
// Usage: node bench/peers.mjs [LAUNCHES]
import { execFile, fork } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import autocannon from 'autocannon';
import { median, print, spread, table } from './support/figures.mjs';
import { answer, rotated, start, stop } from './support/processes.mjs';

const LAUNCHES = Number(process.argv[2] ?? 2);
const ROUNDS = 12;
const REQUESTS = 8000;
const WARM_UP = 20_000;
const CONNECTIONS = 16;
const OPENTELEMETRY = [
  '@opentelemetry/instrumentation-http',
  '@opentelemetry/sdk-trace-node',
  '@opentelemetry/api',
];
/** What each needs beside Nest. */
const PEERS = {
  bare: [],
  'nestjs-performance': ['@opentelemetry/api'],
  opentelemetry: OPENTELEMETRY,
  'nestjs-otel': ['nestjs-otel', ...OPENTELEMETRY],
  'swagger-stats': ['swagger-stats', 'prom-client@12'],
  '@nestjs/observe': ['@nestjs/observe'],
  'dd-trace': ['dd-trace'],
  '@sentry/nestjs': ['@sentry/nestjs'],
};

const root = fileURLToPath(new URL('..', import.meta.url));
const npm = (args, cwd) => promisify(execFile)('npm', args, { cwd, maxBuffer: 2 ** 26 });

async function versionOf(name, folder = root) {
  return JSON.parse(await readFile(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version;
}

/** Installs a peer beside the version of Nest that this repository has. @returns its folder, and its version */
async function install(peer, packages, parent) {
  const folder = await mkdtemp(join(parent, 'peer-'));
  await writeFile(join(folder, 'package.json'), '{ "private": true }');
  await copyFile(new URL('peers/server.cjs', import.meta.url), join(folder, 'server.cjs'));
  const nest = ['@nestjs/core', '@nestjs/common', '@nestjs/platform-express', 'reflect-metadata', 'rxjs'];
  const versions = await Promise.all(nest.map(async (name) => `${name}@${await versionOf(name)}`));
  const own = peer === 'nestjs-performance' ? [join(parent, await packed(parent))] : [];
  // Some peers do not know this version of Nest yet.
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--legacy-peer-deps'];
  await npm(['install', ...quiet, ...versions, ...packages, ...own], folder);
  const [first = '@nestjs/core'] = packages;
  return { folder, version: await versionOf(own.length > 0 ? peer : first.replace(/(?<=.)@.*/, ''), folder) };
}

async function packed(folder) {
  const { stdout } = await npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder], root);
  return JSON.parse(stdout)[0].filename;
}

async function load(url, amount) {
  const { errors, non2xx } = await autocannon({ url, amount, connections: CONNECTIONS });
  if (errors + non2xx > 0) throw new Error(`${errors} errors and ${non2xx} bad responses from ${url}`);
}

async function cpuOf(child) {
  child.send('cpu');
  const { user, system } = await answer(child);
  return user + system;
}

async function measure({ child, url }) {
  const before = await cpuOf(child);
  await load(url, REQUESTS);
  return ((await cpuOf(child)) - before) / REQUESTS;
}

async function launch(installed, receiver) {
  const servers = {};
  try {
    for (const [name, { folder }] of Object.entries(installed)) {
      const stdio = ['ignore', 'ignore', 'inherit', 'ipc'];
      const child = fork(join(folder, 'server.cjs'), [name, receiver], { cwd: folder, stdio });
      try {
        servers[name] = { child, url: await answer(child) };
        await load(servers[name].url, WARM_UP);
      } catch (error) {
        if (name === 'bare') throw error;
        print(`Left out: ${name} did not start (${error.message})`);
        delete servers[name];
        await stop(child);
      }
    }
    const names = Object.keys(servers);
    const cpu = Object.fromEntries(names.map((name) => [name, []]));
    for (let round = 0; round < ROUNDS; round++)
      for (const name of rotated(names, round)) cpu[name].push(await measure(servers[name]));
    return cpu;
  } finally {
    for (const { child } of Object.values(servers)) await stop(child);
  }
}

const parent = await mkdtemp(join(tmpdir(), 'peers-'));
const receiver = start('peers/receiver.mjs');
try {
  const url = await answer(receiver);
  const installed = {};
  for (const [peer, packages] of Object.entries(PEERS)) {
    try {
      installed[peer] = await install(peer, packages, parent);
    } catch (error) {
      if (peer === 'bare') throw error;
      print(`Left out: ${peer} could not be installed (${String(error.message).split('\n', 1)[0]})`);
    }
  }
  const figures = Object.fromEntries(Object.keys(installed).map((name) => [name, { cpu: [], added: [] }]));
  for (let count = 0; count < LAUNCHES; count++) {
    const cpu = await launch(installed, url);
    for (const [name, rounds] of Object.entries(cpu)) {
      figures[name].cpu.push(median(rounds));
      figures[name].added.push(median(rounds.map((value, round) => value - cpu.bare[round])));
    }
  }
  print(
    `CPU us per request: medians of ${ROUNDS} rounds of ${REQUESTS}, over ${LAUNCHES} launches (min to max)`,
  );
  table(
    ['with', 'version', 'CPU us', 'added to bare'],
    Object.entries(figures)
      .filter(([, { cpu }]) => cpu.length > 0)
      .map(([name, { cpu, added }]) => [
        name,
        installed[name].version,
        spread(cpu),
        name === 'bare' ? '' : spread(added),
      ]),
  );
} finally {
  await stop(receiver);
  await rm(parent, { recursive: true, force: true });
}
