import { performance } from 'node:perf_hooks';
import type { ResourceHistory, ResourceReading } from '../process/resource-history.js';
import { round } from '../text/round.js';

const HOUR_MS = 3_600_000;
/** A day and the current hour. */
const HOURS = 25;
/** The minimum interval for rates: the resolution of CPU time is too coarse for shorter ones. */
const INTERVAL_MS = 1000;

const FIELDS = [
  'cpu',
  'eventLoopUtilization',
  'eventLoopDelayMaxMs',
  'heapUsed',
  'external',
  'rss',
] as const satisfies readonly (keyof PeakResources)[];

/** The maximum of each resource. Values without data are absent. */
export interface PeakResources {
  /** The start of the period in milliseconds since 1970: the requested time extended to full hours with samples. */
  readonly since: number;
  /** CPU time of the process in a second, as a share of one core: above 1 with several threads. */
  readonly cpu?: number;
  /** The share of a second in which the event loop was busy, 0 to 1. */
  readonly eventLoopUtilization?: number;
  /** The maximum timer delay. */
  readonly eventLoopDelayMaxMs?: number;
  /** Memory in bytes. */
  readonly heapUsed?: number;
  readonly external?: number;
  readonly rss?: number;
}

/**
 * The hourly peaks of the process's resources for one day. Samples are kept for five minutes: call {@link take} more
 * often than that.
 */
export class ResourcePeaks {
  private readonly values = new Float64Array(HOURS * FIELDS.length).fill(Number.NaN);
  /** The hour since 1970 that each slot holds. */
  private readonly hours = new Float64Array(HOURS).fill(-1);
  private firstAt: number | undefined;
  private before: ResourceReading | undefined;
  private takenAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly history: ResourceHistory) {}

  /** Processes the samples since the last call. */
  take(): void {
    const fresh: ResourceReading[] = [];
    for (let back = 0; back < this.history.length; back++) {
      const reading = this.history.last(back);
      if (reading === undefined || reading.at <= this.takenAt) break;
      fresh.push(reading);
    }
    for (const reading of fresh.reverse()) this.add(reading);
  }

  /** @param since milliseconds since 1970 @returns undefined without samples */
  since(since: number): PeakResources | undefined {
    this.take();
    if (this.firstAt === undefined) return undefined;
    const first = Math.floor(since / HOUR_MS);
    let earliest = Number.POSITIVE_INFINITY;
    const peaks: Partial<Record<(typeof FIELDS)[number], number>> = {};
    for (let place = 0; place < HOURS; place++) {
      const hour = this.hours[place] as number;
      if (hour < Math.max(0, first)) continue;
      earliest = Math.min(earliest, hour);
      FIELDS.forEach((field, index) => {
        const value = this.values[place * FIELDS.length + index] as number;
        if (!Number.isNaN(value)) peaks[field] = Math.max(peaks[field] ?? 0, value);
      });
    }
    if (earliest === Number.POSITIVE_INFINITY) return undefined;
    return { since: Math.round(Math.max(this.firstAt, earliest * HOUR_MS)), ...peaks };
  }

  private add(reading: ResourceReading): void {
    this.takenAt = reading.at;
    const at = performance.timeOrigin + reading.at;
    this.firstAt ??= at;
    const place = this.placeOf(Math.floor(at / HOUR_MS));
    this.raise(place, 'heapUsed', reading.heapUsed);
    this.raise(place, 'external', reading.external);
    this.raise(place, 'rss', reading.rss);
    this.raise(place, 'eventLoopDelayMaxMs', round(reading.eventLoopDelayMaxMs));
    const { before } = this;
    if (before === undefined) this.before = reading;
    else if (reading.at - before.at >= INTERVAL_MS) {
      this.before = reading;
      this.addInterval(place, before, reading);
    }
  }

  private addInterval(place: number, before: ResourceReading, after: ResourceReading): void {
    const cpuMs = after.cpuUserMs + after.cpuSystemMs - before.cpuUserMs - before.cpuSystemMs;
    this.raise(place, 'cpu', round(cpuMs / (after.at - before.at)));
    const active = after.eventLoopActiveMs - before.eventLoopActiveMs;
    const idle = after.eventLoopIdleMs - before.eventLoopIdleMs;
    if (active + idle > 0) this.raise(place, 'eventLoopUtilization', round(active / (active + idle)));
  }

  private placeOf(hour: number): number {
    const place = hour % HOURS;
    if (this.hours[place] !== hour) {
      this.hours[place] = hour;
      this.values.fill(Number.NaN, place * FIELDS.length, (place + 1) * FIELDS.length);
    }
    return place;
  }

  private raise(place: number, field: (typeof FIELDS)[number], value: number): void {
    const at = place * FIELDS.length + FIELDS.indexOf(field);
    // True for NaN, too: an empty slot.
    if (!((this.values[at] as number) >= value)) this.values[at] = value;
  }
}
