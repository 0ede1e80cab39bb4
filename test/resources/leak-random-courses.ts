import { type Course, DAY, HOUR, MB, MINUTE, randomOf, SECOND } from './leak-courses.js';

/** A made-up process and what it may hold. */
export interface RandomCourse extends Course {
  name: string;
  limitBytes: number;
  rssLimitBytes?: number;
  /** Of a leak: what is used of the limit at a moment, 0 to 1. */
  used?: (elapsedMs: number) => number;
}

/** Maximum number of readings of one course; the interval between them follows from it. */
const MOST_READINGS = 2500;

class Dice {
  readonly uniform: () => number;

  constructor(seed: number) {
    this.uniform = randomOf(seed * 7919 + 13);
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** All orders of magnitude alike. */
  scale(low: number, high: number): number {
    return low * (high / low) ** this.uniform();
  }
}

/** What all courses have in common: a limit, what is held from the start, and chance. */
interface Frame {
  limit: number;
  base: number;
  /** What may be held beside the base. */
  room: number;
  dice: Dice;
}

type Shape = Pick<Course, 'heap' | 'external' | 'other' | 'inFlight' | 'bytesPerRequest' | 'noise'>;
type Made = Shape & { forMs: number };

/** Courses that come to an end by themselves. `forMs` is several times what they take for that. */
const HEALTHY: Record<string, (frame: Frame) => Made> = {
  flat: ({ base, dice }) => ({ heap: () => base, forMs: dice.scale(10 * MINUTE, 5 * DAY) }),
  warmUp: ({ base, room, dice }) => {
    const [held, tau] = [room * dice.between(0.05, 0.35), dice.scale(10 * SECOND, 2 * HOUR)];
    return { heap: (t) => base + held * (1 - Math.exp(-t / tau)), forMs: 12 * tau };
  },
  lru: ({ base, room, dice }) => {
    const [held, full] = [room * dice.between(0.03, 0.3), dice.scale(15 * SECOND, 6 * HOUR)];
    return { heap: (t) => base + held * Math.min(1, t / full), forMs: 5 * full };
  },
  ttlCache: ({ base, room, dice }) => {
    const [held, ttl, depth] = [
      room * dice.between(0.05, 0.25),
      dice.scale(MINUTE, 2 * HOUR),
      dice.between(0, 0.3),
    ];
    const wave = (t: number): number => 1 + depth * Math.sin((2 * Math.PI * t) / (6 * ttl));
    return { heap: (t) => base + held * Math.min(1, t / ttl) * wave(t), forMs: 10 * ttl };
  },
  longTail: ({ base, room, dice }) => {
    const [held, tau] = [room * dice.between(0.02, 0.06), dice.scale(5 * SECOND, 10 * MINUTE)];
    return { heap: (t) => base + held * Math.log1p(t / tau), forMs: 60 * tau };
  },
  sawtooth: ({ base, room, dice }) => {
    const [held, period] = [room * dice.between(0.05, 0.5), dice.scale(5 * SECOND, 2 * HOUR)];
    return { heap: (t) => base + held * ((t % period) / period), forMs: 20 * period };
  },
  job: ({ base, room, dice }) => {
    const [held, period, share] = [
      room * dice.between(0.1, 0.5),
      dice.scale(10 * SECOND, DAY),
      dice.between(0.05, 0.6),
    ];
    return { heap: (t) => base + (t % period < share * period ? held : 0), forMs: 8 * period };
  },
  bursts: ({ base, room, dice }) => {
    const until = dice.scale(10 * SECOND, HOUR);
    const bursts = Array.from({ length: 12 }, () => ({
      at: dice.between(0, 20) * until,
      held: room * dice.between(0.05, 0.4),
    }));
    return {
      heap: (t) =>
        bursts.reduce((sum, { at, held }) => sum + (t < at ? 0 : held * Math.exp((at - t) / until)), base),
      forMs: 20 * until,
    };
  },
  steps: ({ base, room, dice }) => {
    const forMs = dice.scale(5 * MINUTE, 3 * DAY);
    const steps = Array.from({ length: 1 + Math.floor(dice.between(0, 3)) }, () => ({
      at: forMs * dice.between(0.05, 0.9),
      held: room * dice.between(0.05, 0.2),
    }));
    return { heap: (t) => steps.reduce((sum, { at, held }) => sum + (t < at ? 0 : held), base), forMs };
  },
  dailyLoad: ({ base, room, dice }) => {
    const [held, phase, most] = [room * dice.between(0.02, 0.2), dice.between(0, DAY), dice.scale(20, 300)];
    const load = (t: number): number => 0.5 - 0.5 * Math.cos((2 * Math.PI * (t + phase)) / DAY);
    return {
      heap: (t) => base + held * load(t),
      inFlight: (t) => most * (0.1 + load(t)),
      bytesPerRequest: dice.scale(5000, 200_000),
      forMs: dice.between(2, 8) * DAY,
    };
  },
  ramp: ({ base, dice }) => {
    const forMs = dice.scale(5 * MINUTE, DAY);
    const most = dice.scale(50, 500);
    return {
      heap: () => base,
      inFlight: (t) => 10 + most * Math.min(1, (1.3 * t) / forMs),
      bytesPerRequest: dice.scale(20_000, 150_000),
      forMs,
    };
  },
  /** Pages that the allocator keeps: ever fewer are added. */
  fragments: ({ base, dice }) => {
    const [held, tau] = [dice.between(20, 120) * MB, dice.scale(20 * SECOND, HOUR)];
    return {
      heap: () => base,
      other: (t) => 40 * MB + held * (1 - Math.exp(-t / tau)) + 3 * MB * Math.sin(t / (0.3 * tau)),
      forMs: 15 * tau,
    };
  },
  bufferPool: ({ base, dice }) => {
    const [held, full] = [dice.between(5, 60) * MB, dice.scale(15 * SECOND, HOUR)];
    return { heap: () => base, external: (t) => 2 * MB + held * Math.min(1, t / full), forMs: 6 * full };
  },
};

/** Courses that end at the limit, which they reach at about `forMs`. */
const LEAKING: Record<string, (frame: Frame, forMs: number) => Shape> = {
  steady: ({ base, room }, forMs) => ({ heap: (t) => base + (room * t) / forMs }),
  noisy: ({ base, room, dice }, forMs) => ({
    heap: (t) => base + (room * t) / forMs,
    noise: room * dice.between(0.02, 0.06),
  }),
  afterWarmUp: ({ base, room, dice }, forMs) => {
    const [share, tau] = [dice.between(0.05, 0.25), forMs * dice.between(0.01, 0.08)];
    return {
      heap: (t) => base + room * (share * (1 - Math.exp(-t / tau)) + ((1 - share) * t) / forMs),
    };
  },
  inBursts: ({ base, room, dice }, forMs) => {
    const [period, share] = [forMs * dice.between(0.01, 0.06), dice.between(0.1, 0.6)];
    return {
      heap: (t) => {
        const whole = Math.floor(t / period);
        return (
          base + (room * period * (whole + Math.min(1, (t - whole * period) / (share * period)))) / forMs
        );
      },
    };
  },
  onSawtooth: ({ base, room, dice }, forMs) => {
    const [held, period] = [room * dice.between(0.03, 0.2), forMs * dice.between(0.003, 0.04)];
    return { heap: (t) => base + ((room - held) * t) / forMs + held * ((t % period) / period) };
  },
  /** Nothing for a good part of the time. */
  afterQuiet: ({ base, room, dice }, forMs) => {
    const quiet = forMs * dice.between(0.1, 0.5);
    return { heap: (t) => base + (room * Math.max(0, t - quiet)) / (forMs - quiet) };
  },
  /** With the traffic, which comes and goes by day. */
  withTraffic: ({ base, room, dice }, forMs) => {
    const [phase, period] = [dice.uniform(), Math.min(DAY, forMs / dice.between(3, 8))];
    const angle = (t: number): number => 2 * Math.PI * (t / period + phase);
    const whole = (t: number): number =>
      t - (0.7 * period * (Math.sin(angle(t)) - Math.sin(angle(0)))) / (2 * Math.PI);
    return {
      heap: (t) => base + (room * whole(t)) / whole(forMs),
      inFlight: (t) => 60 * (1 - 0.7 * Math.cos(angle(t))),
    };
  },
  buffers: ({ base, room }, forMs) => ({
    heap: () => base,
    external: (t) => 2 * MB + (room * t) / forMs,
  }),
  native: ({ base, room }, forMs) => ({
    heap: () => base,
    other: (t) => 40 * MB + (room * t) / forMs,
  }),
};

function frameOf(dice: Dice): Frame {
  const limit = dice.scale(64, 2048) * MB;
  const base = dice.between(8, 0.3 * (limit / MB)) * MB;
  return { limit, base, room: limit - base, dice };
}

function finish(name: string, seed: number, { limit, dice, base }: Frame, made: Made): RandomCourse {
  const least = made.forMs / MOST_READINGS;
  return {
    name,
    seed,
    limitBytes: limit,
    noise: Math.min(0.02 * base, 2 * MB) * dice.between(0.2, 1),
    bytesPerRequest: dice.scale(5000, Math.min(200_000, limit / 2000)),
    ...made,
    everyMs: Math.max(least, Math.min(dice.scale(0.3, 60) * SECOND, made.forMs / 60)),
  };
}

/** A process that does not leak, in one of many ways. */
export function healthyCourse(seed: number): RandomCourse {
  const names = Object.keys(HEALTHY);
  const name = names[seed % names.length] as string;
  const frame = frameOf(new Dice(seed));
  return finish(name, seed, frame, (HEALTHY[name] as (frame: Frame) => Made)(frame));
}

/** A process that leaks until its memory is used up, in a minute or in ten days. */
export function leakingCourse(seed: number): RandomCourse {
  const names = Object.keys(LEAKING);
  const name = names[seed % names.length] as string;
  const frame = frameOf(new Dice(seed));
  const forMs = frame.dice.scale(90 * SECOND, 10 * DAY);
  const shape = (LEAKING[name] as (frame: Frame, forMs: number) => Shape)(frame, forMs);
  const course = finish(name, seed, frame, { ...shape, forMs });
  const { limit, base, room } = frame;
  if (name === 'buffers' || name === 'native') {
    // The whole process is what runs out of memory.
    course.rssLimitBytes = base + 8 * MB + 42 * MB + room;
    course.limitBytes = Math.max(limit, 2 * base);
    course.used = (t) => 1 - (room * (1 - t / forMs)) / (course.rssLimitBytes as number);
  } else {
    course.used = (t) => (shape.heap?.(t) ?? 0) / limit;
  }
  return course;
}
