import { trace } from '@opentelemetry/api';
import { SourceMaps } from '../code/source-maps.js';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { runningMonitors } from '../monitor/running-monitors.js';
import { liveSpanOf } from '../spans/live-span.js';
import { tracingRuntime } from '../spans/tracing-runtime.js';
import { milliseconds } from '../validation/checks.js';
import { formatValue } from '../validation/options-error.js';
import { describeRecording } from './describe-recording.js';
import { MAX_OPERATIONS, Recorder } from './recorder.js';
import type { PerformanceRecording } from './recording.js';
import { unseenDatabases } from './unseen-databases.js';

/** How a recording is made. */
export interface RecordPerformanceOptions {
  /** How long to wait for requests that still run when the function is done, in milliseconds. Default 1000. */
  settleMs?: number | undefined;
  /** Packages of databases whose queries are not seen, which is all right in this test: `['better-sqlite3']`. */
  allowUnseen?: readonly string[] | undefined;
}

/**
 * Runs a function, and records the operations that begin meanwhile: the requests that it sends to the application
 * under test, the tracked methods that it calls, and the queries of both. One at a time for the process.
 * @returns what was recorded, once the requests have ended; an error of the function's passes through
 */
export async function recordPerformance<T>(
  fn: () => T | PromiseLike<T>,
  { settleMs = 1000, allowUnseen = [] }: RecordPerformanceOptions = {},
): Promise<PerformanceRecording<T>> {
  if (typeof fn !== 'function')
    throw new TypeError(
      `recordPerformance: the first argument is ${formatValue(fn)}, which is not allowed: give a function, () => request(server).get('/albums')`,
    );
  if (!milliseconds.accepts(settleMs))
    throw new RangeError(
      `recordPerformance: settleMs is ${formatValue(settleMs)}, which is not allowed: give ${milliseconds.allowed}`,
    );
  const monitors = monitorsToAsk();
  const recorder = new Recorder(liveSpanOf(trace.getActiveSpan()));
  for (const monitor of monitors) monitor.recorder = recorder;
  let result: T;
  try {
    result = await fn();
    await recorder.settle(settleMs);
  } finally {
    for (const monitor of monitors) monitor.recorder = undefined;
  }
  if (recorder.overflowed)
    throw new RangeError(
      `recordPerformance: more than ${MAX_OPERATIONS} operations began: record fewer requests at a time`,
    );
  const unseen = unseenDatabases(monitors, allowUnseen);
  return { result, ...(await describeRecording(recorder, new SourceMaps())), unseen };
}

/** The monitors of the applications that run. */
function monitorsToAsk(): PerformanceMonitor[] {
  const monitors = runningMonitors();
  const { processors } = tracingRuntime;
  if (monitors.length === 0)
    throw new Error(
      'recordPerformance: no PerformanceModule runs in this process, so nothing can be seen. Import PerformanceModule.forRoot() in the module under test, leave `enabled` (OTEL_PERF_MONITORING) at true, and call it between app.init() or app.listen() and app.close().',
    );
  if (processors === 0)
    throw new Error(
      "recordPerformance: the tracer provider of the application has no SlowSpanProcessor, so its queries are not seen. Add it: new NodeSDK({ spanProcessors: [new SlowSpanProcessor()] }), with { SlowSpanProcessor } from 'nestjs-performance'.",
    );
  if (monitors.some(({ recorder }) => recorder !== undefined))
    throw new Error(
      'recordPerformance: another recording runs. It sees all of the process, so one would count the queries of the other: await one before the next begins, and do not use it in concurrent tests.',
    );
  return [...monitors];
}
