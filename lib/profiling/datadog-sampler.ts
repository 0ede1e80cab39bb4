import { performance } from 'node:perf_hooks';
import { DatadogWindow, type FinishedProfile, type Frame, type TimeLabels } from './datadog-window.js';
import type { Sampler, SampleWindow } from './sample-window.js';

/** The package buffers samples for twice this duration, 28 bytes each; later samples of the window are lost. */
const LONGEST_WINDOW_MS = 30_000;

const PACKAGE = '@datadog/pprof';

/** The part of the package's `time` that is used here. */
interface WallProfiler {
  isStarted(): boolean;
  start(options: Readonly<Record<string, unknown>>): void;
  stop(restart: boolean, generateLabels?: TimeLabels): FinishedProfile;
}

/**
 * Samples with `@datadog/pprof`, whose profiler works without an inspector. When it reports the time of each sample, it
 * does not report lines within functions. Each thread has a single profiler.
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
    return `another profiler, such as dd-trace or Pyroscope, is using ${PACKAGE}`;
  }

  start(): void {
    const obstacle = this.obstacle();
    if (obstacle !== undefined) throw new Error(obstacle);
    const window = new DatadogWindow(performance.now(), this.intervalMs);
    this.profiler.start({
      durationMillis: LONGEST_WINDOW_MS,
      intervalMicros: Math.round(this.intervalMs * 1000),
      // Times are reported only with contexts; the context is always there, and empty.
      withContexts: true,
      // The workaround waits for a signal before and after each window, about 20 ms in total. Without it the package
      // still detects a stuck profiler, and restarts it.
      workaroundV8Bug: false,
      sourceMapper: { mappingInfo: (frame: Frame) => this.window?.nameByNumber(frame) ?? frame },
    });
    this.window = window;
  }

  rotate(): SampleWindow {
    const { window } = this;
    if (window === undefined) throw new Error('the sampler was not started');
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
 * Loads the package from beside this one, or else from beside the application. Never throws.
 * @param intervalMs milliseconds between two samples
 * @param loaders of the application, which are tried in turn
 * @returns the sampler, not started, or the reason why there is none
 */
export async function loadDatadogSampler(
  intervalMs: number,
  loaders: () => readonly NodeJS.Require[] = () => [],
): Promise<{ sampler?: Sampler; reason?: string }> {
  // Times require contexts, which require SIGPROF.
  if (process.platform === 'win32') return { reason: `${PACKAGE} does not report sample times on Windows` };
  let loaded: unknown;
  try {
    loaded = await loadPackage(loaders);
  } catch (error) {
    const { code, message } = Object(error) as { code?: unknown; message?: unknown };
    if (code === 'MODULE_NOT_FOUND') return { reason: `${PACKAGE} is not installed` };
    const host = `Node ${process.versions.node} on ${process.platform}-${process.arch}`;
    return { reason: `${PACKAGE} cannot be loaded by ${host}: ${String(message ?? error).split('\n')[0]}` };
  }
  const { time } = Object(loaded) as { time?: Partial<WallProfiler> };
  const { isStarted, start, stop } = Object(time) as Partial<WallProfiler>;
  if (isStarted === undefined || start === undefined || stop === undefined) {
    return { reason: `${PACKAGE} has an unsupported version: install 5.20 or later` };
  }
  return { sampler: new DatadogSampler({ isStarted, start, stop }, intervalMs) };
}

async function loadPackage(loaders: () => readonly NodeJS.Require[]): Promise<unknown> {
  // A variable, so that bundlers do not resolve it.
  const name: string = PACKAGE;
  let missing: unknown;
  try {
    const module = (await import(name)) as { default?: unknown };
    return module.default ?? module;
  } catch (error) {
    if (!isMissing(error)) throw error;
    missing = error;
  }
  for (const load of loaders()) {
    try {
      return load(name);
    } catch (error) {
      if (!isMissing(error)) throw error;
      missing = error;
    }
  }
  throw missing;
}

/** Whether the package itself is missing, rather than one of its dependencies. */
function isMissing(error: unknown): boolean {
  const { code, message } = Object(error) as { code?: unknown; message?: unknown };
  const notFound = code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND';
  return notFound && String(message).includes(`'${PACKAGE}'`);
}
