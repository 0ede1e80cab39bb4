// Not the global ones, which a test of the application may have replaced.

import { clearInterval, setInterval } from 'node:timers';
import { context } from '@opentelemetry/api';
import type { PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { iterateCooperatively } from '../async/cooperative.js';
import { Deadline, SHUTDOWN_MS } from '../async/deadline.js';
import { reportFault } from '../async/thrown.js';
import { UNTRACED } from '../async/untraced.js';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import { SCOPE } from '../spans/tracing-runtime.js';
import type { ExportHealth, ExportOutcome } from './export-health.js';
import type { Metrics } from './metrics.js';
import type { ResolvedMetricsOptions } from './metrics-options.js';
import { type MetricData, type MetricsSdk, otlpPoints } from './otlp-points.js';

/** Series per request. Encoding one takes some 20 us, and a request is encoded without pauses. */
const SERIES_A_REQUEST = 50;
/** For collecting them, before that. */
const SLICE_MS = 0.75;

/** The parts of the SDK that an export needs. */
export interface MetricExportParts {
  readonly sdk: MetricsSdk;
  readonly exporter: PushMetricExporter;
  readonly resource: ResourceMetrics['resource'];
  readonly health: ExportHealth;
  /** Ends requests that are not answered: they would keep the process alive. */
  readonly abort: () => void;
  /** Called once if the receiver does not support metrics. The export stops then. */
  readonly onRefused: () => void;
}

/** Exports all metrics periodically, in requests of some series. One export at a time; failures are not retried. */
export class MetricExport {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private refused = false;

  constructor(
    private readonly metrics: Metrics,
    private readonly options: ResolvedMetricsOptions,
    private readonly parts: MetricExportParts,
  ) {}

  /** Starts exporting, on a timer that does not keep the process alive. */
  start(): void {
    this.timer ??= setInterval(() => void this.export(), this.options.intervalSeconds * 1000).unref();
  }

  /** Exports now, or waits for the current export. Never rejects. */
  export(): Promise<void> {
    this.running ??= this.send()
      .catch((error: unknown) => reportFault('metrics could not be exported', error))
      .finally(() => {
        this.running = undefined;
      });
    return this.running;
  }

  /** Exports a last time, until the deadline. Requests without an answer are aborted then. Never rejects. */
  async shutdown(deadline = new Deadline(SHUTDOWN_MS)): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
    if (!(await deadline.settle(this.finish()))) this.parts.abort();
  }

  private async finish(): Promise<void> {
    await this.running;
    await this.export();
    await this.parts.exporter.shutdown();
  }

  private async send(): Promise<void> {
    const { sdk } = this.parts;
    const { histograms } = this.options;
    const points = otlpPoints(this.metrics.list(), { sdk, histograms, now: Date.now() });
    let batch: MetricData[] = [];
    for await (const point of iterateCooperatively(points, SLICE_MS)) {
      if (point !== undefined) batch.push(point);
      if (batch.length < SERIES_A_REQUEST) continue;
      if (!(await this.request(batch))) return;
      batch = [];
    }
    if (batch.length > 0) await this.request(batch);
  }

  /** @returns whether to continue */
  private async request(batch: MetricData[]): Promise<boolean> {
    if (this.refused) return false;
    const { exporter, resource, health } = this.parts;
    const metrics = { resource, scopeMetrics: [{ scope: SCOPE, metrics: together(batch) }] };
    const outcome = await new Promise<ExportOutcome>((resolve) =>
      meter.measure(COST.export, () => context.with(UNTRACED, () => exporter.export(metrics, resolve))),
    );
    if (isUnimplemented(outcome)) {
      this.refused = true;
      clearInterval(this.timer);
      this.parts.onRefused();
      return false;
    }
    health.note(outcome);
    return outcome.code === 0;
  }
}

/** Combines the points of one metric. */
function together(batch: readonly MetricData[]): MetricData[] {
  const result: MetricData[] = [];
  for (const data of batch) {
    const last = result.at(-1);
    if (last?.descriptor.name === data.descriptor.name)
      (last.dataPoints as unknown[]).push(...data.dataPoints);
    else result.push(data);
  }
  return result;
}

/** The gRPC status of a service that a receiver does not have. */
function isUnimplemented({ error }: ExportOutcome): boolean {
  return (error as { code?: unknown } | undefined)?.code === 12;
}
