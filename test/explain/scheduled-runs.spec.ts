import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { asOwnPause } from '../../lib/async/own-pauses.js';
import { observeSchedule } from '../../lib/explain/observe-schedule.js';
import { type DueRuns, MAX_COUNTED, MAX_MISSED, ScheduledRuns } from '../../lib/explain/scheduled-runs.js';
import type { ScheduleFault } from '../../lib/spans/schedule-fault.js';

const PERIOD = 1000;
const every = (periodMs: number): DueRuns => ({
  firstMs: periodMs,
  secondMs: 2 * periodMs,
  countUntil: (ms) => Math.min(Math.floor(ms / periodMs), MAX_COUNTED),
});

/** Runs on a clock of their own: timers fire only with {@link live}. */
class Clock {
  now = 0;
  wall = 1_000_000;
  readonly faults: ScheduleFault[] = [];
  constructor(readonly runs = new ScheduledRuns(() => every(PERIOD))) {}

  /** The event loop is blocked, or the process suspended. */
  block(ms: number): this {
    this.now += ms;
    this.wall += ms;
    return this;
  }
  /** The event loop runs. */
  live(ms: number): this {
    jest.advanceTimersByTime(ms);
    return this.block(ms);
  }
  start() {
    return this.runs.start((fault) => this.faults.push(fault), this.now, this.wall);
  }
  /** A run without a duration. */
  run(): this {
    this.start().end(this.now);
    return this;
  }
}

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['performance', 'Date'] });
});
afterEach(() => {
  jest.useRealTimers();
});

describe('overlapping runs', () => {
  it('are reported when the older one ends, with how long both ran', () => {
    const clock = new Clock();
    const older = clock.start();
    clock.live(PERIOD);
    const younger = clock.start();
    clock.live(400);
    older.end(clock.now);
    clock.live(500);
    younger.end(clock.now);
    expect(clock.faults).toEqual([{ type: 'overlapping_runs', overlapMs: 400, olderAgeMs: PERIOD, runs: 2 }]);
  });

  it('are reported when the later one ends first', () => {
    const clock = new Clock();
    clock.start();
    const younger = clock.live(PERIOD).start();
    younger.end(clock.live(40).now);
    expect(clock.faults).toMatchObject([{ overlapMs: 40, runs: 2 }]);
  });

  it('are reported at the next start where none of them ends, each once', () => {
    const clock = new Clock();
    for (let run = 0; run < 4; run++) {
      clock.start();
      clock.live(PERIOD);
    }
    expect(clock.faults).toMatchObject([
      { overlapMs: PERIOD, olderAgeMs: PERIOD, runs: 2 },
      { overlapMs: PERIOD, olderAgeMs: PERIOD, runs: 3 },
    ]);
  });

  it('that never end do not accumulate', () => {
    const clock = new Clock();
    for (let run = 0; run < 1000; run++) {
      clock.start();
      clock.live(PERIOD);
    }
    expect(clock.faults.at(-1)).toMatchObject({ runs: 100 });
  });

  it.each<[string, (clock: Clock) => void]>([
    [
      'runs shorter than the period',
      (clock) => {
        for (let run = 0; run < 5; run++) {
          const { end } = bound(clock.start());
          clock.live(PERIOD - 1);
          end(clock.now);
          clock.live(1);
        }
      },
    ],
    [
      'a run that starts when the previous one ends',
      (clock) => {
        const first = clock.start();
        const second = clock.live(PERIOD).start();
        first.end(clock.live(5).now);
        second.end(clock.live(500).now);
      },
    ],
    [
      'runs that return because one is running',
      (clock) => {
        const first = clock.start();
        for (let run = 0; run < 3; run++) clock.live(PERIOD).run();
        first.end(clock.now);
      },
    ],
    [
      'runs whose end is not known',
      (clock) => {
        clock.start().discard();
        const second = clock.live(PERIOD).start();
        clock.live(500);
        second.discard();
        clock.live(500).run();
      },
    ],
  ])('are not: %s', (_what, act) => {
    const clock = new Clock();
    act(clock);
    expect(clock.faults).toEqual([]);
  });
});

describe('missed runs', () => {
  it('are reported with their number when the next one starts, after a block', () => {
    const clock = new Clock();
    clock.run().live(PERIOD).run().block(4200).run();
    expect(clock.faults).toEqual([
      { type: 'missed_runs', missed: 3, isAtLeast: false, gapMs: 4200, lateMs: 3200 },
    ]);
  });

  it('are reported where the run follows the timer that marks a stopped schedule, in one turn of the loop', () => {
    const clock = new Clock();
    clock.run();
    jest.advanceTimersToNextTimer();
    clock.block(4200).run();
    jest.runAllTimers();
    expect(clock.faults).toMatchObject([{ missed: 3 }]);
    // After that turn, the schedule counts as stopped.
    clock.block(3000).run();
    expect(clock.faults).toHaveLength(1);
  });

  it('are counted from each start to the next', () => {
    const clock = new Clock();
    clock.run().block(2000).run().live(PERIOD).run().block(3500).run();
    expect(clock.faults).toMatchObject([{ missed: 1 }, { missed: 2 }]);
  });

  it('are counted up to a limit', () => {
    const clock = new Clock();
    clock
      .run()
      .block(PERIOD * 5000)
      .run();
    expect(clock.faults).toMatchObject([{ missed: MAX_MISSED, isAtLeast: true }]);
  });

  it('are reported for irregular times, by what is due between', () => {
    // At 9 and 10 o'clock of each day.
    const hour = 3_600_000;
    const due: DueRuns = { firstMs: hour, secondMs: 24 * hour, countUntil: (ms) => (ms < 24 * hour ? 1 : 2) };
    const clock = new Clock(new ScheduledRuns(() => due));
    clock
      .run()
      .block(24 * hour)
      .run();
    expect(clock.faults).toMatchObject([{ missed: 1, lateMs: 23 * hour }]);
  });

  it.each<[string, (clock: Clock) => void]>([
    ['the first run, however late', (clock) => clock.block(10 * PERIOD).run()],
    ['runs in time', (clock) => clock.run().live(PERIOD).run().live(PERIOD).run()],
    ['a run that a block delays by less than a period', (clock) => clock.run().block(1900).run()],
    [
      'a schedule that was stopped and started again',
      (clock) =>
        clock
          .run()
          .live(5 * PERIOD)
          .run(),
    ],
    [
      'a schedule that was stopped, and blocked when it started again',
      (clock) =>
        clock
          .run()
          .live(2 * PERIOD)
          .block(3 * PERIOD)
          .run(),
    ],
    [
      'a system clock that was set forward',
      (clock) => {
        clock.run().wall += 3_600_000;
        clock.block(5 * PERIOD).run();
      },
    ],
    [
      'a machine that slept, during which the monotonic clock stood still',
      (clock) => {
        clock.run().wall += 3_600_000;
        clock.live(PERIOD).run();
      },
    ],
    [
      'a system clock that was set back',
      (clock) => {
        clock.run().wall -= 3_600_000;
        clock.block(5 * PERIOD).run();
      },
    ],
  ])('are not: %s', (_what, act) => {
    const clock = new Clock();
    act(clock);
    expect(clock.faults).toEqual([]);
  });

  it('are not reported where nothing is known of the schedule', () => {
    const clock = new Clock(new ScheduledRuns(() => undefined));
    clock
      .run()
      .block(9 * PERIOD)
      .run();
    expect(clock.faults).toEqual([]);
  });

  it('are not reported for delays that every process has', () => {
    const clock = new Clock(new ScheduledRuns(() => every(10)));
    clock.run().block(90).run();
    expect(clock.faults).toEqual([]);
  });

  it('are not reported for schedules longer than a timer can wait', () => {
    const clock = new Clock(new ScheduledRuns(() => every(2 ** 31)));
    clock
      .run()
      .block(2 ** 33)
      .run();
    expect(clock.faults).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('are not reported for a pause of this package', () => {
    const faults: ScheduleFault[] = [];
    const runs = new ScheduledRuns(() => every(100));
    const run = () => runs.start((fault) => faults.push(fault)).end();
    const busy = () => {
      const end = performance.now() + 400;
      while (performance.now() < end);
    };
    run();
    asOwnPause(busy);
    run();
    expect(faults).toEqual([]);
    busy();
    run();
    expect(faults).toMatchObject([{ type: 'missed_runs' }]);
  });
});

describe('the finding', () => {
  const ids = { traceId: 't', spanId: 's' };

  it('explains an overlap, with what to do', () => {
    const found = observeSchedule(
      { type: 'overlapping_runs', overlapMs: 1300, olderAgeMs: 4200, runs: 2 },
      'CleanUp.daily',
      ids,
    );
    expect(found).toMatchObject({
      type: 'overlapping_runs',
      route: 'CleanUp.daily',
      ms: 1300,
      repetitions: 2,
    });
    expect(found.explanation).toBe(
      'CleanUp.daily started while its previous run, 4.2 s old, still ran. Both ran at the same time for 1.3 s, and may have ' +
        'done the same work twice. Skip a run while another one runs (`waitForCompletion: true` of @Cron, or a lock), make ' +
        'the run faster, or schedule it less often.',
    );
  });

  it('explains missed runs, with what to do', () => {
    const found = observeSchedule(
      { type: 'missed_runs', missed: 3, isAtLeast: false, gapMs: 4200, lateMs: 3200 },
      'Poller.poll',
      ids,
    );
    expect(found).toMatchObject({ type: 'missed_runs', route: 'Poller.poll', ms: 3200, repetitions: 3 });
    expect(found.explanation).toMatch(
      /^Poller\.poll missed 3 runs: it started 3\.2 s late, 4\.2 s after its previous start\. The event loop was blocked/,
    );
  });
});

function bound(run: ReturnType<Clock['start']>) {
  return { end: (now: number) => run.end(now) };
}
