import 'reflect-metadata';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { ConsoleLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module';
import { openDatabase } from './postgres/database';
import { Findings } from './traffic/findings';

const FIRST_SUMMARY_MS = 15_000;
const MAX_CLOSING_MS = 15_000;
const PARENT_MS = 200;
const logger = new ConsoleLogger('MusicStore', { logLevels: ['warn', 'error', 'fatal'] });
/** Run in reverse order at the end. */
const cleanups: (() => unknown)[] = [];

async function main(): Promise<void> {
  const port = readPort(process.env);
  const host = process.env['HOST'] || '127.0.0.1';
  const trafficSeconds = readTrafficSeconds(process.env);
  const perSecond = readTrafficPerSecond(process.env);
  const database = await openDatabase(process.env);
  cleanups.push(() => database.stop());
  process.env['DATABASE_URL'] = database.url;
  if (database.directory !== undefined) process.env['PERFORMANCE_DIRECTORY'] ||= database.directory;
  process.env['RECOMMENDATIONS_URL'] = await startRecommendations();

  // Without the log of Nest: errors are thrown and printed as one line.
  const app = await NestFactory.create(AppModule, { abortOnError: false, logger: false });
  cleanups.push(() => app.close());
  app.useLogger(logger);
  await app.init();
  await app.listen(await freePort(port, host), host);
  logger.setLogLevels(['log', 'warn', 'error', 'fatal']);
  const url = `http://localhost:${(app.getHttpServer().address() as AddressInfo).port}`;
  printWhereToLook(url, port);
  if (process.argv.includes('--quiet') || process.env['TRAFFIC'] === 'off') return;
  process.stdout.write(
    `  Simulated traffic runs for ${trafficSeconds} s. Slow operations and their causes follow in ${FIRST_SUMMARY_MS / 1000} s.\n\n`,
  );
  driveTraffic(url, trafficSeconds, perSecond, app.get(Findings));
}

interface Port {
  readonly number: number;
  /** Whether the user set it. */
  readonly given: boolean;
}

/** PORT. Default: 3000, or any free port if that is taken. */
function readPort({ PORT }: NodeJS.ProcessEnv): Port {
  if (PORT === undefined || PORT === '') return { number: 3000, given: false };
  const number = /^\d+$/.test(PORT) ? Number(PORT) : -1;
  if (number >= 0 && number <= 65_535) return { number, given: true };
  throw new Error(`Invalid PORT: received "${PORT}", expected a whole number from 0 to 65535`);
}

/** TRAFFIC_SECONDS. Default: 60. */
function readTrafficSeconds({ TRAFFIC_SECONDS }: NodeJS.ProcessEnv): number {
  if (TRAFFIC_SECONDS === undefined || TRAFFIC_SECONDS === '') return 60;
  const seconds = /^\d+$/.test(TRAFFIC_SECONDS) ? Number(TRAFFIC_SECONDS) : 0;
  if (seconds >= 1) return seconds;
  throw new Error(`Invalid TRAFFIC_SECONDS: received "${TRAFFIC_SECONDS}", expected a whole number from 1`);
}

/** TRAFFIC_PER_SECOND, the number of requests. Default: 12. */
function readTrafficPerSecond({ TRAFFIC_PER_SECOND }: NodeJS.ProcessEnv): number {
  if (TRAFFIC_PER_SECOND === undefined || TRAFFIC_PER_SECOND === '') return 12;
  const perSecond = /^\d+$/.test(TRAFFIC_PER_SECOND) ? Number(TRAFFIC_PER_SECOND) : 0;
  if (perSecond >= 1 && perSecond <= 1000) return perSecond;
  throw new Error(
    `Invalid TRAFFIC_PER_SECOND: received "${TRAFFIC_PER_SECOND}", expected a whole number from 1 to 1000`,
  );
}

/** The port, or 0 (any) if the default is taken. Checked here because Nest would log a taken port as an error. */
async function freePort({ number, given }: Port, host: string): Promise<number> {
  const server = createServer();
  try {
    server.listen(number, host);
    await once(server, 'listening');
    return number;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE' && !given) return 0;
    if (code === 'EADDRINUSE')
      throw new Error(`PORT ${number} is taken: set another one, or 0 for any free port`);
    if (code === 'EACCES') throw new Error(`PORT ${number} is reserved for root: set one from 1024`);
    throw new Error(`Invalid HOST: received "${host}", expected a local address (${message})`);
  } finally {
    server.close();
  }
}

async function startRecommendations(): Promise<string> {
  const child = forkBeside('recommendations/recommendation-server.js');
  const ended = once(child, 'exit').then(() =>
    Promise.reject(new Error('The recommendation service did not start')),
  );
  const [port] = (await Promise.race([once(child, 'message'), ended])) as [number];
  return `http://127.0.0.1:${port}`;
}

function driveTraffic(url: string, seconds: number, perSecond: number, findings: Findings): void {
  const traffic = forkBeside('traffic/traffic.js', url, String(seconds), String(perSecond));
  setTimeout(() => findings.print(), FIRST_SUMMARY_MS).unref();
  traffic.once('message', () => {
    findings.print();
    logger.log('The simulated traffic has ended. Press Ctrl+C to stop the store.');
  });
}

function forkBeside(file: string, ...args: string[]): ChildProcess {
  const child = fork(join(__dirname, file), args);
  cleanups.push(() => child.kill());
  return child;
}

function printWhereToLook(url: string, { number, given }: Port): void {
  const lines = [
    '',
    `  The music store runs at ${url}${given || url.endsWith(`:${number}`) ? '' : ` (port ${number} is taken)`}`,
    '',
    `    ${url}/performance              slow operations and their causes, live`,
    `    ${url}/performance/report.html  a report; also .md and .json`,
    `    ${url}/performance/stats        statistics as JSON; also /slow, /findings, /queries, /profiles`,
    `    ${url}/health                   the health check (terminus)`,
    '',
    '  Routes with performance problems:',
    '    GET  /albums/with-tracks        N+1 queries: one per album',
    '    GET  /tracks/search?q=a         a slow query',
    '    GET  /reports/sold-together     CPU-bound JavaScript',
    '    POST /checkout                  synchronous work that blocks the event loop',
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
      logger.fatal(error);
    }
  }
}

let ending: Promise<void> | undefined;

/** Closes everything once, then exits. A second signal exits at once. */
function end(exit: () => void): void {
  if (ending !== undefined) exit();
  setTimeout(exit, MAX_CLOSING_MS).unref();
  // Running requests fail without their database: these errors are not logged.
  logger.setLogLevels(['fatal']);
  process.on('unhandledRejection', () => {});
  ending = close().then(exit);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => end(() => process.exit(0)));
// Without its terminal, a regular exit of Node.js would abort.
process.on('SIGHUP', () => end(() => process.kill(process.pid, 'SIGKILL')));
// npm signals only its shell, which exits without forwarding the signal.
const parent = process.ppid;
if (process.env['npm_lifecycle_event'] !== undefined)
  setInterval(
    () => process.ppid === parent || ending !== undefined || end(() => process.exit(0)),
    PARENT_MS,
  ).unref();
// The reader of a pipe, such as `head`, may have closed it.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', () => ending ?? end(() => process.exit(0)));

main().catch((error: unknown) => {
  // Errors while closing are expected.
  if (ending !== undefined) return;
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  end(() => process.exit(1));
});
