import { describe, expect, it } from '@jest/globals';
import { LeakDetector } from '../../lib/leaks/leak-detector.js';
import type { LeakReading } from '../../lib/leaks/leak-reading.js';
import { type Course, DAY, HOUR, MB, MINUTE, readings, SECOND, type Seen, watch } from './leak-courses.js';
import { healthyCourse, leakingCourse } from './leak-random-courses.js';

const LIMIT = 512 * MB;

function seenIn(course: Course, rssLimitBytes?: number): Seen {
  return watch(
    new LeakDetector({ heapLimitBytes: LIMIT, ...(rssLimitBytes !== undefined && { rssLimitBytes }) }),
    course,
  );
}

/** A detector that was given a whole course. */
function detectorAfter(course: Course, rssLimitBytes?: number): LeakDetector {
  const detector = new LeakDetector({
    heapLimitBytes: LIMIT,
    ...(rssLimitBytes !== undefined && { rssLimitBytes }),
  });
  for (const reading of readings(course)) detector.add(reading);
  return detector;
}

describe('a heap that may be larger than its container', () => {
  it('leaks towards the limit of the container', () => {
    const detector = new LeakDetector({ heapLimitBytes: 2048 * MB, rssLimitBytes: 512 * MB });
    const confirmedAt: number[] = [];
    let used = 100 * MB;
    let at = 1e12;
    for (; used + 90 * MB < 480 * MB; used += 0.1 * MB) {
      at += 10 * SECOND;
      const heapUsed = used + (at % 7) * 0.2 * MB;
      detector.add(reading(at, { heapUsed, heapResident: heapUsed + 8 * MB, rss: heapUsed + 90 * MB }));
      if (detector.verdicts()[0]?.state === 'confirmed') confirmedAt.push(used);
    }
    expect(confirmedAt[0]).toBeLessThan(350 * MB);
    const [leak] = detector.verdicts();
    expect(leak).toMatchObject({ memory: 'heap', state: 'confirmed' });
    // 32 MB are left at 36 MB an hour.
    expect((leak?.timeToLimitMs as number) / HOUR).toBeCloseTo(32 / 36, 0);
  });
});

function reading(at: number, change: Partial<LeakReading> = {}): LeakReading {
  return {
    at,
    heapUsed: 40 * MB,
    heapResident: 48 * MB,
    external: 2 * MB,
    arrayBuffers: MB,
    rss: 90 * MB,
    inFlight: 10,
    requests: 0,
    late: 0.5,
    ...change,
  };
}

/** Bytes at the moment, of a rate for an hour. */
const rising =
  (mbPerHour: number, from = 40 * MB) =>
  (t: number): number =>
    from + (mbPerHour * MB * t) / HOUR;

describe('LeakDetector on memory that leaks', () => {
  const cases: Record<string, Course> = {
    'in ten minutes': { heap: rising(2800), everyMs: 2 * SECOND, forMs: 9 * MINUTE },
    'in a day': { heap: rising(20), everyMs: MINUTE, forMs: 22 * HOUR },
    'in three weeks': { heap: rising(0.9), everyMs: 20 * MINUTE, forMs: 20 * DAY, noise: MB },
    'with much noise': { heap: rising(60), everyMs: 20 * SECOND, forMs: 7 * HOUR, noise: 10 * MB },
    'beside a batch that comes and goes': {
      heap: (t) => rising(60)(t) + 30 * MB * ((t % (3 * MINUTE)) / (3 * MINUTE)),
      everyMs: 10 * SECOND,
      forMs: 6 * HOUR,
    },
    'after it had warmed up': {
      heap: (t) => rising(60)(t) + 60 * MB * (1 - Math.exp(-t / (10 * MINUTE))),
      everyMs: 10 * SECOND,
      forMs: 6 * HOUR,
    },
    'after two quiet hours': {
      heap: (t) => 40 * MB + 60 * MB * (Math.max(0, t - 2 * HOUR) / HOUR),
      everyMs: 10 * SECOND,
      forMs: 9 * HOUR,
    },
    'in bursts, ten minutes of each hour': {
      heap: (t) => 40 * MB + 20 * MB * (Math.floor(t / HOUR) + Math.min(1, (t % HOUR) / (10 * MINUTE))),
      everyMs: MINUTE,
      forMs: 22 * HOUR,
    },
    'while traffic has its days and nights': {
      heap: rising(4),
      inFlight: (t) => 60 - 50 * Math.cos((2 * Math.PI * t) / DAY),
      bytesPerRequest: 200_000,
      everyMs: 10 * MINUTE,
      forMs: 4.5 * DAY,
    },
  };

  it.each(Object.entries(cases))('confirms a leak %s, well before the limit', (_, course) => {
    const { confirmedMs } = seenIn(course);
    expect(confirmedMs).toBeLessThan(0.72 * course.forMs);
    expect((course.heap as (t: number) => number)(confirmedMs as number)).toBeLessThan(0.62 * LIMIT);
  });

  const outside: Record<string, Course> = {
    external: { external: rising(60, 2 * MB), everyMs: 20 * SECOND, forMs: 7 * HOUR },
    rss: { other: rising(60), everyMs: 20 * SECOND, forMs: 7 * HOUR },
  };
  it.each(Object.entries(outside))(
    'confirms a leak of %s, towards the limit of the process',
    (memory, course) => {
      expect(seenIn(course, 520 * MB).confirmedMs).toBeLessThan(0.6 * course.forMs);
      expect(
        detectorAfter(course, 520 * MB)
          .verdicts()
          .map((leak) => leak.memory),
      ).toEqual([memory]);
    },
  );

  it('reports the memory, its growth, the time left, and since when', () => {
    const course: Course = { heap: rising(60), everyMs: 20 * SECOND, forMs: 4 * HOUR };
    const [leak, ...more] = detectorAfter(course).verdicts();
    expect(more).toEqual([]);
    expect(leak?.memory).toBe('heap');
    expect(leak?.state).toBe('confirmed');
    expect((leak?.bytesPerHour ?? 0) / MB).toBeCloseTo(60, -1);
    expect(leak?.limitBytes).toBe(LIMIT);
    // 280 MB of 512 are used.
    expect((leak?.timeToLimitMs ?? 0) / HOUR).toBeCloseTo(3.87, 0);
    expect(leak?.confidence).toBeGreaterThan(0.9);
    expect(leak?.confidence).toBeLessThanOrEqual(1);
    expect(leak?.since).toBeLessThan(Date.UTC(2026, 0, 5) + HOUR);
    expect(leak?.suspects).toEqual([]);
    expect(leak?.explanation).toMatch(
      /^What remains of the heap after a full collection grows by (5\d|6\d) MB per hour \(from \d+ MB to \d+ MB since .*\); the limit of 512 MB is reached in about [34] h( \d0 min)?\.$/,
    );
    expect(JSON.parse(JSON.stringify(leak))).toEqual(leak);
  });

  it('reports a suspicion as such, with less confidence', () => {
    const course: Course = { heap: rising(60), everyMs: 20 * SECOND, forMs: HOUR };
    const [leak] = detectorAfter(course).verdicts();
    expect(leak?.state).toBe('suspect');
    expect(leak?.confidence).toBeLessThan(0.75);
    expect(leak?.explanation).toContain('It may be a cache that is filling');
  });

  it('knows the limit outside the heap only if it is given, and counts other resident memory', () => {
    const course: Course = { external: rising(60, 2 * MB), everyMs: 20 * SECOND, forMs: 4 * HOUR };
    const [unlimited] = detectorAfter(course).verdicts();
    expect(unlimited?.memory).toBe('external');
    expect(unlimited?.limitBytes).toBeUndefined();
    expect(unlimited?.timeToLimitMs).toBeUndefined();
    const [limited] = detectorAfter(course, 600 * MB).verdicts();
    // Heap and everything else take about 89 MB.
    expect((limited?.limitBytes ?? 0) / MB).toBeCloseTo(511, -1);
    expect((limited?.timeToLimitMs ?? 0) / HOUR).toBeCloseTo(4.5, 0);
  });

  it('never reports a negative time, and confirms past the limit', () => {
    const course: Course = { external: rising(60, 2 * MB), everyMs: 20 * SECOND, forMs: 4 * HOUR };
    const [leak] = detectorAfter(course, 80 * MB).verdicts();
    expect(leak?.state).toBe('confirmed');
    expect(leak?.timeToLimitMs).toBe(0);
  });

  it('reports once if a leaking heap also takes native memory', () => {
    const course: Course = { heap: rising(60), other: rising(30), everyMs: 20 * SECOND, forMs: 5 * HOUR };
    expect(
      detectorAfter(course)
        .verdicts()
        .map(({ memory }) => memory),
    ).toEqual(['heap']);
  });

  it('finds a leak with few collections, when memory runs out early', () => {
    // Five of them, as where buffers leak: V8 does not count these as its own.
    const detector = new LeakDetector({ heapLimitBytes: LIMIT });
    for (let i = 0; i < 5; i++) {
      detector.add(reading(i * 15 * SECOND, { external: (2 + 100 * i) * MB, rss: (90 + 100 * i) * MB }));
    }
    expect(detector.verdicts().map(({ memory }) => memory)).toEqual(['external']);
  });
});

describe('LeakDetector on memory that lasts for half a minute', () => {
  const fast = (upToMb: number): Course => ({
    heap: (t) => Math.min(40 + 20 * (t / SECOND), upToMb) * MB,
    everyMs: SECOND,
    forMs: 22 * SECOND,
  });

  it('finds the leak before 70 % of the limit', () => {
    expect(seenIn(fast(Number.POSITIVE_INFINITY)).suspectedMs).toBeLessThan(15.5 * SECOND);
  });

  it('does not report growth that stops early', () => {
    expect(seenIn(fast(160)).times).toBe(0);
  });
});

describe('LeakDetector on memory that does not leak', () => {
  const never: Record<string, Course> = {
    'is even for a month': { everyMs: 10 * MINUTE, forMs: 30 * DAY },
    'is noise': { noise: 10 * MB, everyMs: 5 * SECOND, forMs: 6 * HOUR },
    'is a job that comes every hour': {
      heap: (t) => 40 * MB + (t % HOUR < 10 * MINUTE ? 150 * MB : 0),
      everyMs: 20 * SECOND,
      forMs: DAY,
    },
    'is a batch that is written every ten seconds': {
      heap: (t) => 40 * MB + 100 * MB * ((t % (10 * SECOND)) / (10 * SECOND)),
      everyMs: SECOND,
      forMs: HOUR,
    },
    'rises in one step': {
      heap: (t) => (t < HOUR ? 40 : 140) * MB,
      everyMs: 20 * SECOND,
      forMs: 6 * HOUR,
    },
    'is held by requests whose number doubles': {
      inFlight: (t) => 100 + 100 * Math.min(1, t / HOUR),
      bytesPerRequest: 500_000,
      everyMs: 10 * SECOND,
      forMs: 3 * HOUR,
    },
    'is a batch in buffers': {
      external: (t) => 2 * MB + 100 * MB * ((t % (10 * SECOND)) / (10 * SECOND)),
      everyMs: SECOND,
      forMs: HOUR,
    },
    'is resident by turns': {
      other: (t) => 60 * MB + 30 * MB * Math.sin(t / MINUTE),
      everyMs: 10 * SECOND,
      forMs: DAY,
    },
  };
  it.each(Object.entries(never))('reports nothing if it %s', (_, course) => {
    expect(seenIn(course).times).toBe(0);
  });

  const onlySuspected: Record<string, Course> = {
    'a cache that fills in ten minutes': {
      heap: (t) => 40 * MB + 120 * MB * Math.min(1, t / (10 * MINUTE)),
      everyMs: 2 * SECOND,
      forMs: 2 * HOUR,
    },
    'a cache that fills in six hours': {
      heap: (t) => 40 * MB + 120 * MB * Math.min(1, t / (6 * HOUR)),
      everyMs: 30 * SECOND,
      forMs: 2 * DAY,
    },
    'a warm-up': {
      heap: (t) => 40 * MB + 200 * MB * (1 - Math.exp(-t / (5 * MINUTE))),
      everyMs: 2 * SECOND,
      forMs: 2 * HOUR,
    },
    'a cache whose keys have a long tail': {
      heap: (t) => 40 * MB + 10 * MB * Math.log1p(t / MINUTE),
      everyMs: 20 * SECOND,
      forMs: DAY,
    },
    'sessions, more by day than by night': {
      heap: (t) => 60 * MB - 20 * MB * Math.cos((2 * Math.PI * t) / DAY),
      everyMs: MINUTE,
      forMs: 7 * DAY,
    },
    'a pool of buffers that fills': {
      external: (t) => 2 * MB + 60 * MB * Math.min(1, t / (20 * MINUTE)),
      everyMs: 5 * SECOND,
      forMs: 3 * HOUR,
    },
    'pages that the allocator keeps': {
      other: (t) => 40 * MB + 90 * MB * (1 - Math.exp(-t / (10 * MINUTE))),
      everyMs: 5 * SECOND,
      forMs: 3 * HOUR,
    },
  };
  it.each(Object.entries(onlySuspected))('never confirms %s, and drops its suspicion', (_, course) => {
    expect(seenIn(course).confirmedMs).toBeUndefined();
    expect(detectorAfter(course).verdicts()).toEqual([]);
  });

  it.each([
    ['a quarter', 0.25],
    ['a third', 0.35],
    ['half', 0.5],
  ])('never confirms a cache that fills in a line to %s of the limit', (_, share) => {
    const filled = share * LIMIT - 20 * 30_000;
    const heap = (t: number): number => 40 * MB + (filled - 40 * MB) * Math.min(1, t / (3 * HOUR));
    const course: Course = { heap, everyMs: 20 * SECOND, forMs: 12 * HOUR };
    expect(seenIn(course).confirmedMs).toBeUndefined();
    expect(detectorAfter(course).verdicts()).toEqual([]);
  });

  it('keeps a confirmed leak while it pauses for a night', () => {
    const grown = (t: number): number => rising(60)(Math.min(t, 5 * HOUR));
    const course: Course = { heap: grown, everyMs: 20 * SECOND, forMs: 15 * HOUR };
    expect(detectorAfter(course).verdicts()).toMatchObject([{ memory: 'heap', state: 'confirmed' }]);
  });

  it('withdraws a confirmed leak that has not grown for days', () => {
    const grown = (t: number): number => rising(60)(Math.min(t, 5 * HOUR));
    const course: Course = { heap: grown, everyMs: 5 * MINUTE, forMs: 4 * DAY };
    expect(seenIn(course).confirmedMs).toBeDefined();
    expect(detectorAfter(course).verdicts()).toEqual([]);
  });

  it('withdraws a confirmed leak when the memory is released', () => {
    const course: Course = {
      heap: (t) => (t < 5 * HOUR ? rising(60)(t) : 45 * MB),
      everyMs: 20 * SECOND,
      forMs: 5.5 * HOUR,
    };
    expect(seenIn(course).confirmedMs).toBeLessThan(5 * HOUR);
    expect(seenIn(course).times).toBe(1);
    expect(detectorAfter(course).verdicts()).toEqual([]);
  });
});

describe('LeakDetector on random courses', () => {
  it('never confirms one of 13 that do not leak', () => {
    const confirmed = Array.from({ length: 13 }, (_, seed) => healthyCourse(seed + 1))
      .filter((course) => {
        const { limitBytes: heapLimitBytes } = course;
        return watch(new LeakDetector({ heapLimitBytes }), course).confirmedMs !== undefined;
      })
      .map(({ name }) => name);
    expect(confirmed).toEqual([]);
  });

  it('finds each of 9 that leak before 70 % of the limit', () => {
    const late = Array.from({ length: 9 }, (_, seed) => leakingCourse(seed + 1)).filter((course) => {
      const { limitBytes: heapLimitBytes, rssLimitBytes } = course;
      const limits = { heapLimitBytes, ...(rssLimitBytes !== undefined && { rssLimitBytes }) };
      const { suspectedMs = course.forMs } = watch(new LeakDetector(limits), course);
      return (course.used?.(suspectedMs) ?? 1) >= 0.7;
    });
    expect(late.map(({ name }) => name)).toEqual([]);
  });
});

describe('LeakDetector and its input', () => {
  it.each([
    [{ heapLimitBytes: 0 }, 'Invalid heapLimitBytes: received 0, expected a number of bytes above 0.'],
    [
      { heapLimitBytes: Number.NaN },
      'Invalid heapLimitBytes: received NaN, expected a number of bytes above 0.',
    ],
    [
      { heapLimitBytes: MB, rssLimitBytes: -1 },
      'Invalid rssLimitBytes: received -1, expected a number of bytes above 0.',
    ],
  ])('refuses an invalid limit: %p', (options, message) => {
    expect(() => new LeakDetector(options)).toThrow(new RangeError(message));
  });

  it('reports nothing of a missing limit', () => {
    expect(new LeakDetector({ heapLimitBytes: MB }).verdicts()).toEqual([]);
  });

  const course: Course = { heap: rising(60), everyMs: 20 * SECOND, forMs: 4 * HOUR };
  const broken: [string, Partial<LeakReading>][] = [
    ['late', { late: 5.1, heapUsed: 10 * MB }],
    ['of an unknown delay', { late: Number.NaN, heapUsed: 10 * MB }],
    ['from before the one before', { at: 1, heapUsed: 10 * MB }],
    ['at no time', { at: Number.NaN, heapUsed: 10 * MB }],
    ['without a resident set', { rss: Number.NaN, heapUsed: 10 * MB }],
    ['without external memory', { external: Number.NaN, heapUsed: 10 * MB }],
  ];
  it.each(broken)('ignores a reading that is %s', (_, change) => {
    const [clean, disturbed] = [detectorAfter(course), new LeakDetector({ heapLimitBytes: LIMIT })];
    for (const one of readings(course)) {
      disturbed.add(one);
      disturbed.add({ ...one, ...change });
    }
    expect(disturbed.verdicts()).toEqual(clean.verdicts());
  });

  it('judges the heap only by readings after collections', () => {
    const [clean, disturbed] = [detectorAfter(course), new LeakDetector({ heapLimitBytes: LIMIT })];
    for (const one of readings(course)) {
      disturbed.add(one);
      disturbed.add({ ...one, heapUsed: Number.NaN });
    }
    expect(disturbed.verdicts()).toEqual(clean.verdicts());
  });

  it('treats unknown requests in flight as none', () => {
    const detector = new LeakDetector({ heapLimitBytes: LIMIT });
    for (const one of readings({ ...course, bytesPerRequest: 0 }))
      detector.add({ ...one, inFlight: Number.NaN });
    expect(detector.verdicts()[0]?.state).toBe('confirmed');
  });
});
