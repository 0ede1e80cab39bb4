import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { trace } from '@opentelemetry/api';
import { SourceMaps } from '../code/source-maps.js';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { runningMonitors } from '../monitor/running-monitors.js';
import { liveSpanOf } from '../spans/live-span.js';
import { tracingRuntime } from '../spans/tracing-runtime.js';
import { milliseconds } from '../validation/checks.js';
import { formatValue, invalid } from '../validation/options-error.js';
import { describeRecording } from './describe-recording.js';
import { MAX_OPERATIONS, Recorder } from './recorder.js';
import type { PerformanceRecording } from './recording.js';

/** Publishes each request that a server of this process receives. */
const REQUESTS = 'http.server.request.start';

/** Options of {@link recordPerformance}. */
export interface RecordPerformanceOptions {
  /** The maximum time to wait for running requests after the function has ended, in milliseconds. Default 1000. */
  settleMs?: number | undefined;
  /**
   * What this test does not need to see: database drivers without instrumentation (`better-sqlite3`), servers of this process
   * that are not under test (`127.0.0.1:4000`), and requests by their name (`GET /albums (injected)`).
   */
  allowUnseen?: readonly string[] | undefined;
}

/**
 * Runs a function and records the operations that start meanwhile: requests to the application under test, tracked
 * methods, and their queries. Only one recording can run in a process.
 * @returns the recording, after all requests have ended
 * @throws the error of the function; TypeError or RangeError for invalid arguments; Error if nothing can be recorded
 */
export async function recordPerformance<T>(
  fn: () => T | PromiseLike<T>,
  { settleMs = 1000, allowUnseen = [] }: RecordPerformanceOptions = {},
): Promise<PerformanceRecording<T>> {
  if (typeof fn !== 'function')
    throw new TypeError(
      `recordPerformance: ${invalid('first argument', formatValue(fn), "a function: () => request(server).get('/albums')")}`,
    );
  if (!milliseconds.accepts(settleMs))
    throw new RangeError(
      `recordPerformance: ${invalid('settleMs', formatValue(settleMs), milliseconds.allowed)}`,
    );
  const monitors = recordableMonitors();
  const recorder = new Recorder(liveSpanOf(trace.getActiveSpan()));
  for (const monitor of monitors) monitor.recorder = recorder;
  const onRequest = (message: unknown): void => {
    const { request, server } = message as { request: IncomingMessage; server: unknown };
    recorder.received(request, server);
  };
  subscribe(REQUESTS, onRequest);
  let result: T;
  try {
    result = await fn();
    await recorder.settle(settleMs);
  } finally {
    unsubscribe(REQUESTS, onRequest);
    for (const monitor of monitors) monitor.recorder = undefined;
  }
  if (recorder.overflowed)
    throw new RangeError(
      `recordPerformance: more than ${MAX_OPERATIONS} operations. Record fewer requests at once.`,
    );
  const unseen = unseenDatabases(monitors, allowUnseen);
  const unserved = [...recorder.unserved.values()].filter(
    (name) => !allowUnseen.some((allowed) => name === allowed || name.endsWith(`(${allowed})`)),
  );
  return {
    result,
    ...(await describeRecording(recorder, new SourceMaps())),
    unseen,
    ...(unserved.length === 0 ? {} : { unserved }),
  };
}

/** The monitors of the running applications. @throws Error if they cannot record */
function recordableMonitors(): PerformanceMonitor[] {
  const monitors = runningMonitors();
  const { processors } = tracingRuntime;
  if (monitors.length === 0)
    throw new Error(
      'recordPerformance: no PerformanceModule runs in this process. Import PerformanceModule.forRoot() in the module under test, leave `enabled` (OTEL_PERF_MONITORING) at true, and record between app.init() or app.listen() and app.close().',
    );
  if (processors === 0)
    throw new Error(
      "recordPerformance: the tracer provider of the application has no SlowSpanProcessor, so queries are not recorded. Add it: new NodeSDK({ spanProcessors: [new SlowSpanProcessor()] }), with { SlowSpanProcessor } from 'nestjs-performance'.",
    );
  if (monitors.some(({ recorder }) => recorder !== undefined))
    throw new Error(
      'recordPerformance: another recording is running. Recordings cover the whole process: await one before starting the next, and do not record in concurrent tests.',
    );
  return [...monitors];
}

/** The drivers that are not databases. */
const OTHERS = new Set([
  'node:http',
  'fetch',
  'ioredis',
  '@redis/client',
  'memcached',
  'kafkajs',
  'amqplib',
  '@grpc/grpc-js',
  'nats',
]);

/** The database drivers whose queries are not recorded. */
function unseenDatabases(
  monitors: readonly PerformanceMonitor[],
  allowed: readonly string[],
): PerformanceRecording['unseen'] {
  const unseen = new Map<string, string>();
  for (const { drivers } of monitors)
    for (const { driver, seen, how, advice } of drivers)
      if (!seen && !OTHERS.has(driver) && !allowed.includes(driver)) unseen.set(driver, advice ?? how);
  return [...unseen].map(([driver, advice]) => ({ driver, advice }));
}
