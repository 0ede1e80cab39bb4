import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { ResourceHistory, ResourceReading } from '../process/resource-history.js';
import { round } from '../text/round.js';
import type { OverviewResources } from './overview.js';

const SHOWN_MS = 300_000;
/** A point covers one second of the wall clock, so that points do not move as time passes. */
const POINT_MS = 1000;
const MAX_POINTS = SHOWN_MS / POINT_MS;
const MB = 1024 * 1024;

/**
 * The resources of the last five minutes in columns, the oldest first. Values of an interval are null for the first
 * reading.
 * @param now milliseconds on the clock of `performance.now()`
 */
export function resourceSeries(history: ResourceHistory, now = performance.now()): OverviewResources {
  const series: OverviewResources = {
    at: [],
    heapUsedMb: [],
    heapLimitMb: Math.round(getHeapStatistics().heap_size_limit / MB),
    rssMb: [],
    cpuPercent: [],
    eventLoopUtilization: [],
    eventLoopDelayMaxMs: [],
    gcPauseMs: [],
  };
  const readings = readingsSince(history, now - SHOWN_MS);
  let before: ResourceReading | undefined;
  let delayMaxMs = 0;
  readings.forEach((reading, index) => {
    delayMaxMs = Math.max(delayMaxMs, reading.eventLoopDelayMaxMs);
    const next = readings[index + 1];
    if (next !== undefined && pointOf(next) === pointOf(reading)) return;
    add(series, reading, before, delayMaxMs);
    before = reading;
    delayMaxMs = 0;
  });
  return series;
}

/** Leaves out the oldest second, which may be incomplete and exceed the number of points. */
function readingsSince(history: ResourceHistory, from: number): ResourceReading[] {
  const readings: ResourceReading[] = [];
  for (let back = 0; ; back++) {
    const reading = history.last(back);
    if (reading === undefined || reading.at <= from) break;
    readings.push(reading);
  }
  readings.reverse();
  const newest = readings.at(-1);
  return newest === undefined
    ? []
    : readings.filter((reading) => pointOf(reading) > pointOf(newest) - MAX_POINTS);
}

function pointOf({ at }: ResourceReading): number {
  return Math.floor((performance.timeOrigin + at) / POINT_MS);
}

function add(
  series: OverviewResources,
  reading: ResourceReading,
  before: ResourceReading | undefined,
  delayMaxMs: number,
): void {
  series.at.push(Math.round(performance.timeOrigin + reading.at));
  series.heapUsedMb.push(round(reading.heapUsed / MB));
  series.rssMb.push(round(reading.rss / MB));
  series.eventLoopDelayMaxMs.push(round(delayMaxMs));
  const elapsed = before === undefined ? 0 : reading.at - before.at;
  if (before === undefined || elapsed <= 0) {
    for (const column of ['cpuPercent', 'eventLoopUtilization', 'gcPauseMs'] as const)
      series[column].push(null);
    return;
  }
  const cpuMs = reading.cpuUserMs + reading.cpuSystemMs - before.cpuUserMs - before.cpuSystemMs;
  const active = reading.eventLoopActiveMs - before.eventLoopActiveMs;
  const idle = reading.eventLoopIdleMs - before.eventLoopIdleMs;
  series.cpuPercent.push(round((cpuMs / elapsed) * 100));
  series.eventLoopUtilization.push(active + idle > 0 ? round(active / (active + idle)) : null);
  series.gcPauseMs.push(round(Math.max(0, reading.gcPauseMs - before.gcPauseMs)));
}
