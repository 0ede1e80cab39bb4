// An application that is bundled into one file. It sends itself requests, says what is known of them, and ends.
import 'reflect-metadata';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { Controller, Get, type LoggerService, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { getPerformanceMonitor, PerformanceModule, TrackPerformance } from 'nestjs-performance';

const CALLS = 12;
const SPIN_MS = 400;
const PATIENCE_MS = 15_000;

class Reports {
  crunch(): number {
    const until = performance.now() + SPIN_MS;
    let sum = 0;
    while (performance.now() < until) for (let i = 0; i < 1000; i++) sum += Math.sqrt(sum + i);
    return sum;
  }

  addUp(): number {
    const until = performance.now() + SPIN_MS;
    let sum = 0;
    while (performance.now() < until) sum += this.addSome(sum);
    return sum;
  }

  /** Long enough that the profiler's log reaches back to the first of all calls. */
  @TrackPerformance('calculation', 1000)
  addSome(sum: number): number {
    let result = sum;
    for (let i = 0; i < 50_000; i++) result = (result + i) % 1000;
    return result;
  }
}

const upstream = http.createServer(
  (_request, response) => void setTimeout(30).then(() => response.end('ok')),
);
let upstreamUrl = '';
const redis = new Redis(Number(process.env['REDIS_PORT']), '127.0.0.1', { lazyConnect: true });

@Controller()
class AppController {
  private readonly reports = new Reports();

  @Get('/crunch')
  crunch(): string {
    return String(this.reports.crunch());
  }

  @Get('/add-up')
  addUp(): string {
    return String(this.reports.addUp());
  }

  @Get('/call')
  async call(): Promise<string> {
    let text = '';
    for (let i = 0; i < CALLS; i++) text += await (await fetch(upstreamUrl)).text();
    return text;
  }

  @Get('/cache')
  async cache(): Promise<string> {
    for (let i = 0; i < CALLS; i++) await redis.get('key');
    return 'read';
  }
}

@Module({
  imports: [
    PerformanceModule.forRoot({
      httpThresholdMs: 60,
      enableProfiling: true,
      profileSlowOperations: false,
      endpoint: { authorize: () => true },
    }),
  ],
  controllers: [AppController],
})
class AppModule {}

const messages: string[] = [];
const note = (message: unknown): void => void messages.push(String(message));
const logger: LoggerService = { log: () => {}, warn: note, error: note, fatal: note };

async function main(): Promise<void> {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  upstreamUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/`;
  await redis.connect();
  const app = await NestFactory.create(AppModule, { logger });
  // As hardened applications do, once Nest has loaded what it needs. Node assigns to its own errors.
  if (process.env['FREEZE'] !== undefined)
    for (const type of [Object, Array, Function, Promise, Map, Set, RegExp, String, Date]) {
      Object.freeze(type.prototype);
      Object.freeze(type);
    }
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const get = async (path: string): Promise<{ status: number; text: string }> => {
    const response = await fetch(url + path);
    return { status: response.status, text: await response.text() };
  };
  const statuses: Record<string, number> = {};
  for (const path of ['/crunch', '/add-up', '/call', '/cache']) statuses[path] = (await get(path)).status;
  const page = await get('/performance');
  statuses['page'] = page.status;
  const files = [...page.text.matchAll(/(?:src|href)="(ui\/[^"]+)"/g)].map((match) => match[1] as string);
  for (const file of files) {
    const { status, text } = await get(`/performance/${file}`);
    statuses[file] = text.length > 1000 ? status : 0;
  }
  const monitor = getPerformanceMonitor();
  const slowOnes = (): ReturnType<typeof monitor.getSlowOperations> =>
    monitor.getSlowOperations().filter(({ name }) => /crunch|add-up|call/.test(name));
  const isProfiled = monitor.profiling.status.state === 'on';
  const stats = JSON.parse((await get('/performance/stats')).text) as {
    operations: { type: string; name: string; count: number }[];
  };
  type Slow = ReturnType<typeof slowOnes>[number];
  // On a busy machine, a request may have waited for a CPU more than for its calls. Then another one shows their line.
  const isCall = ({ name }: Slow): boolean => name === 'GET /call';
  // Code from standard input has no file, and no line.
  const hasFile = process.argv[1] !== '-';
  const known = (): Slow[] =>
    slowOnes().filter((slow) => !hasFile || !isCall(slow) || slow.callSite !== undefined);
  const isComplete = (): boolean =>
    known().some(isCall) &&
    known().every((slow) => isCall(slow) || !isProfiled || slow.topFunctions !== undefined);
  const until = performance.now() + PATIENCE_MS;
  while (performance.now() < until && !isComplete()) {
    if (!known().some(isCall)) await get('/call');
    await setTimeout(50);
  }
  const result = {
    statuses,
    counts: Object.fromEntries(stats.operations.map(({ type, name, count }) => [`${type} ${name}`, count])),
    slow: known(),
    profiling: monitor.profiling.status.state,
    messages,
  };
  await app.close();
  redis.disconnect();
  upstream.close();
  upstream.closeAllConnections();
  process.stdout.write(`result ${JSON.stringify(result)}\n`);
  // A worker of a cluster is kept alive by its channel.
  if (process.connected) process.disconnect();
}

main().catch((error: unknown) => {
  process.stderr.write(`${String((error as Error).stack ?? error)}\n`);
  process.exitCode = 1;
  if (process.connected) process.disconnect();
});
