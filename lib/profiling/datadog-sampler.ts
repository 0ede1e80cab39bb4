import { createRequire } from 'node:module';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { DatadogWindow, type FinishedProfile, type Frame, type TimeLabels } from './datadog-window.js';
import type { Sampler, SampleWindow } from './sample-window.js';

/** The package keeps times for twice as long a window; what comes later in it is lost. Takes 28 bytes a sample. */
const LONGEST_WINDOW_MS = 30_000;

const PACKAGE = '@datadog/pprof';

/** What is used of the package's `time`. */
interface WallProfiler {
  isStarted(): boolean;
  start(options: Readonly<Record<string, unknown>>): void;
  stop(restart: boolean, generateLabels?: TimeLabels): FinishedProfile;
}

/**
 * Samples by `@datadog/pprof`, whose profiler can sample where there is no inspector. It tells no lines within
 * functions when it tells the time of each sample. There is one for each thread.
 */
class DatadogSampler implements Sampler {
  readonly name = 'datadog';
  private window: DatadogWindow | undefined;

  constructor(
    private readonly profiler: WallProfiler,
    private readonly intervalMs: number,
  ) {}

  obstacle(): string | undefined {
    if (this.window !== undefined || !this.profiler.isStarted()) return undefined;
    return `another profiler, such as that of dd-trace or Pyroscope, uses ${PACKAGE} already`;
  }

  start(): void {
    const obstacle = this.obstacle();
    if (obstacle !== undefined) throw new Error(obstacle);
    const window = new DatadogWindow(performance.now(), this.intervalMs);
    this.profiler.start({
      durationMillis: LONGEST_WINDOW_MS,
      intervalMicros: Math.round(this.intervalMs * 1000),
      // It tells times only with contexts; there is always one, and it is empty.
      withContexts: true,
      // It waits for a signal before and after each window, some 20 ms in all. Without it the package still notices
      // when V8's profiler is stuck, and then begins anew.
      workaroundV8Bug: false,
      sourceMapper: { mappingInfo: (frame: Frame) => this.window?.nameByNumber(frame) ?? frame },
    });
    this.window = window;
  }

  rotate(): SampleWindow {
    const { window } = this;
    if (window === undefined) throw new Error('it was not started');
    const endedAt = performance.now();
    const profile = this.profiler.stop(true, window.generateLabels);
    this.window = new DatadogWindow(endedAt, this.intervalMs);
    return window.finish(profile, endedAt);
  }

  stop(): void {
    const { window } = this;
    this.window = undefined;
    if (window !== undefined && this.profiler.isStarted()) this.profiler.stop(false);
  }
}

/**
 * Looks for the package beside this one, then beside the application. Never throws.
 * @param intervalMs from one sample to the next
 * @returns the sampler, not started, or the reason why there is none
 */
export async function loadDatadogSampler(
  intervalMs: number,
): Promise<{ sampler?: Sampler; reason?: string }> {
  // Without contexts there are no times, and it has them where there is SIGPROF.
  if (process.platform === 'win32') return { reason: `${PACKAGE} tells no times of samples on Windows` };
  let loaded: unknown;
  try {
    loaded = await loadPackage();
  } catch (error) {
    const { code, message } = Object(error) as { code?: unknown; message?: unknown };
    if (code === 'MODULE_NOT_FOUND') return { reason: `${PACKAGE} is not installed` };
    const host = `Node ${process.versions.node} on ${process.platform}-${process.arch}`;
    return { reason: `${PACKAGE} cannot be loaded by ${host}: ${String(message ?? error).split('\n')[0]}` };
  }
  const { time } = Object(loaded) as { time?: Partial<WallProfiler> };
  const { isStarted, start, stop } = Object(time) as Partial<WallProfiler>;
  if (isStarted === undefined || start === undefined || stop === undefined) {
    return { reason: `${PACKAGE} is of a version that is not known: 5.20 is needed` };
  }
  return { sampler: new DatadogSampler({ isStarted, start, stop }, intervalMs) };
}

async function loadPackage(): Promise<unknown> {
  // By a variable: a bundler must not look for it.
  const name: string = PACKAGE;
  try {
    const module = (await import(name)) as { default?: unknown };
    return module.default ?? module;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const places = [process.argv[1], join(process.cwd(), 'package.json')].filter(
    (place) => place !== undefined,
  );
  let missing: unknown;
  for (const place of places) {
    try {
      return createRequire(place)(name);
    } catch (error) {
      if (!isMissing(error)) throw error;
      missing = error;
    }
  }
  throw missing;
}

/** Whether it is the package that is not there, and not something that it needs. */
function isMissing(error: unknown): boolean {
  const { code, message } = Object(error) as { code?: unknown; message?: unknown };
  const notFound = code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND';
  return notFound && String(message).includes(`'${PACKAGE}'`);
}
