import type { LeakDetector } from '../../lib/leaks/leak-detector.js';
import type { LeakReading } from '../../lib/leaks/leak-reading.js';

export const MB = 2 ** 20;
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal (Box and Muller). */
export function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** What a made-up process holds at a moment after its start. */
export interface Course {
  /** Bytes, without those of requests in flight. */
  heap?: (elapsedMs: number) => number;
  external?: (elapsedMs: number) => number;
  /** Resident beside heap and external. */
  other?: (elapsedMs: number) => number;
  inFlight?: (elapsedMs: number) => number;
  bytesPerRequest?: number;
  /** Standard deviation of what is left to chance, in bytes. */
  noise?: number;
  everyMs: number;
  forMs: number;
  seed?: number;
}

/** The readings of a course: major collections about `everyMs` apart. */
export function* readings(course: Course): Generator<LeakReading> {
  const random = randomOf(course.seed ?? 1);
  const started = Date.UTC(2026, 0, 5);
  for (let t = 0; t < course.forMs; t += course.everyMs * (0.6 + 0.8 * random())) {
    const inFlight = Math.max(0, Math.round((course.inFlight?.(t) ?? 20) + 3 * normal(random)));
    const noise = (course.noise ?? 0.2 * MB) * normal(random);
    const heapUsed = (course.heap?.(t) ?? 40 * MB) + inFlight * (course.bytesPerRequest ?? 30_000) + noise;
    const external = course.external?.(t) ?? 2 * MB;
    yield {
      at: started + t,
      heapUsed,
      heapResident: heapUsed + 8 * MB,
      external,
      arrayBuffers: external - MB,
      rss: heapUsed + 8 * MB + external + (course.other?.(t) ?? 40 * MB),
      inFlight,
      requests: Math.round(t / 10),
      late: 0.5,
    };
  }
}

/** When there was first a verdict, and a confirmed one, in milliseconds after the start. */
export interface Seen {
  suspectedMs?: number;
  confirmedMs?: number;
  /** How many times a verdict came up. */
  times: number;
}

/** Gives all readings to a detector, and looks at its verdicts each time. */
export function watch(detector: LeakDetector, course: Course): Seen {
  const seen: Seen = { times: 0 };
  let [started, before] = [0, 0];
  for (const reading of readings(course)) {
    started ||= reading.at;
    detector.add(reading);
    const leaks = detector.verdicts();
    if (leaks.length > 0) seen.suspectedMs ??= reading.at - started;
    if (leaks.some(({ state }) => state === 'confirmed')) seen.confirmedMs ??= reading.at - started;
    if (leaks.length > before) seen.times++;
    before = leaks.length;
  }
  return seen;
}
