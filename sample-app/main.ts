import 'reflect-metadata';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type INestApplication, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module';
import { openDatabase } from './postgres/embedded-postgres';
import { Findings } from './traffic/findings';

const FIRST_SUMMARY_MS = 15_000;
const logger = new Logger('MusicStore');
/** What to undo when it is over, the last first. */
const cleanups: (() => unknown)[] = [];

async function main(): Promise<void> {
  const port = readPort(process.env);
  const host = process.env['HOST'] || '127.0.0.1';
  const trafficSeconds = readTrafficSeconds(process.env);
  const database = await openDatabase(process.env);
  cleanups.push(() => database.stop());
  process.env['DATABASE_URL'] = database.url;
  process.env['RECOMMENDATIONS_URL'] = await startRecommendations();

  const app = await NestFactory.create(AppModule, { abortOnError: false });
  cleanups.push(() => app.close());
  const url = await listen(app, host, port);
  printWhereToLook(url);
  if (process.argv.includes('--quiet') || process.env['TRAFFIC'] === 'off') return;
  logger.log(
    `Visitors come for ${trafficSeconds} seconds; what was slow is told after ${FIRST_SUMMARY_MS / 1000} of them.`,
  );
  driveTraffic(url, trafficSeconds, app.get(Findings));
}

/** PORT, or 3000 and any other where that is taken. */
function readPort({ PORT }: NodeJS.ProcessEnv): { port: number; given: boolean } {
  if (PORT === undefined || PORT === '') return { port: 3000, given: false };
  const port = /^\d+$/.test(PORT) ? Number(PORT) : -1;
  if (port < 0 || port > 65_535) throw new Error(`PORT is "${PORT}": give a whole number from 0 to 65535`);
  return { port, given: true };
}

/** TRAFFIC_SECONDS, or a minute. */
function readTrafficSeconds({ TRAFFIC_SECONDS }: NodeJS.ProcessEnv): number {
  if (TRAFFIC_SECONDS === undefined || TRAFFIC_SECONDS === '') return 60;
  const seconds = /^\d+$/.test(TRAFFIC_SECONDS) ? Number(TRAFFIC_SECONDS) : 0;
  if (seconds < 1) throw new Error(`TRAFFIC_SECONDS is "${TRAFFIC_SECONDS}": give a whole number from 1`);
  return seconds;
}

/** On the loopback interface, unless HOST says that others may call: a container's do. */
async function listen(
  app: INestApplication,
  host: string,
  { port, given }: { port: number; given: boolean },
): Promise<string> {
  try {
    await app.listen(port, host);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    if (given) throw new Error(`PORT is ${port}, which is taken: give the number of a free one`);
    await app.listen(0, host);
  }
  return `http://localhost:${(app.getHttpServer().address() as AddressInfo).port}`;
}

async function startRecommendations(): Promise<string> {
  const child = forkBeside('recommendations/recommendation-server.js');
  const [port] = (await once(child, 'message')) as [number];
  return `http://127.0.0.1:${port}`;
}

function driveTraffic(url: string, seconds: number, findings: Findings): void {
  const traffic = forkBeside('traffic/traffic.js', url, String(seconds));
  setTimeout(() => findings.print(), FIRST_SUMMARY_MS).unref();
  traffic.once('message', () => {
    findings.print();
    logger.log('The visitors have gone; the store stays open. Ctrl+C closes it.');
  });
}

function forkBeside(file: string, ...args: string[]): ChildProcess {
  const child = fork(join(__dirname, file), args);
  cleanups.push(() => child.kill());
  return child;
}

function printWhereToLook(url: string): void {
  const lines = [
    '',
    `  The music store is open at ${url}`,
    '',
    `    ${url}/performance              what is slow and why, live, on one page`,
    `    ${url}/performance/report.html  the same as a report; also .md and .json`,
    `    ${url}/performance/stats        statistics, resources, drivers`,
    `    ${url}/performance/slow         the last slow operations, and why they were slow`,
    `    ${url}/performance/findings     N+1, calls in sequence, blocks of the event loop`,
    `    ${url}/performance/profiles     the code that ran in them, for DevTools and speedscope`,
    `    ${url}/performance/queries      the slow statements, and who asks them`,
    `    ${url}/health                   terminus`,
    '',
    '  What goes wrong in it, as it does in real ones:',
    '    GET  /albums/with-tracks        one query for each album',
    '    GET  /tracks/search?q=a         a slow query',
    '    GET  /reports/sold-together     CPU-bound work',
    '    POST /checkout                  a blocked event loop',
    '    GET  /recommendations/4         a slow dependency',
    '    POST /leak/on, GET /leak/visit  a memory leak',
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function close(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) {
    try {
      await cleanup();
    } catch (error) {
      logger.error(error);
    }
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    close().then(() => process.exit(0));
  });
}

main().catch(async (error: unknown) => {
  logger.error(error instanceof Error ? error.message : error);
  await close();
  process.exit(1);
});
