import { performance } from 'node:perf_hooks';
import type { ResourceReading } from '../process/resource-history.js';
import type { CurrentResources } from '../process/resource-sampler.js';
import { round } from '../text/round.js';
import type { ReportedResources } from './report.js';
import type { ReportSource } from './report-source.js';
import { ResourcePeaks } from './resource-peaks.js';

/** @param since the start of the peaks, in milliseconds since 1970 */
export function reportedResources(
  source: ReportSource,
  current: CurrentResources,
  since: number,
  uptimeMs: number,
): ReportedResources {
  const { resources, resourcePeaks } = source;
  const peaks = resourcePeaks ?? (resources && new ResourcePeaks(resources.history));
  const peak = peaks?.since(since);
  const elapsed = Math.max(1, uptimeMs);
  return {
    ...current,
    lifetime: {
      cpu: round((current.cpu.userMs + current.cpu.systemMs) / elapsed),
      eventLoopUtilization: utilizationOf(resources?.history.last()),
      gcShare: round(Math.min(1, current.gc.pauseMs / elapsed)),
      maxRss: process.resourceUsage().maxRSS * 1024,
    },
    ...(peak === undefined ? {} : { peak }),
  };
}

/** The utilization since the event loop started. */
function utilizationOf(reading: ResourceReading | undefined): number {
  const { eventLoopActiveMs = 0, eventLoopIdleMs = 0 } = reading ?? {};
  const whole = eventLoopActiveMs + eventLoopIdleMs;
  return whole > 0 ? round(eventLoopActiveMs / whole) : round(performance.eventLoopUtilization().utilization);
}
