// Known ways in which a release is worse. The method was developed on one set, and is judged by the other.

/** Seen while the method was developed. */
export const DEVELOPMENT = [
  { name: 'median +25 to +60 %', of: (random) => ({ latency: random.between(1.25, 1.6) }) },
  { name: 'tail 2 to 4 times', of: (random) => ({ tail: random.between(2, 4) }) },
  { name: 'errors +2 to +6 points', of: (random) => ({ errors: random.between(0.02, 0.06) }) },
  { name: 'statements 1.5 to 3 times', of: (random) => ({ queries: random.between(1.5, 3) }) },
  { name: 'CPU 1.5 to 2.5 times', of: (random) => ({ cpu: random.between(1.5, 2.5) }) },
  { name: 'median +40 %', of: () => ({ latency: 1.4 }) },
];

/** Not used until the method was final, nor were the seeds from 1001 on. */
export const HELD_BACK = [
  { name: 'median +20 to +35 %', of: (random) => ({ latency: random.between(1.2, 1.35) }) },
  {
    name: '10 to 25 % of requests 4 to 8 times slower',
    of: (random) => ({ slowMode: { share: random.between(0.1, 0.25), factor: random.between(4, 8) } }),
  },
  { name: 'errors +4 to +10 points', of: (random) => ({ errors: random.between(0.04, 0.1) }) },
  {
    name: 'N+1: 5 times the statements, latency +25 %',
    of: () => ({ queries: 5, latency: 1.25 }),
  },
  { name: 'CPU 1.8 times, latency +15 %', of: () => ({ cpu: 1.8, latency: 1.15 }) },
  { name: 'tail 3 times, errors +1 point', of: () => ({ tail: 3, errors: 0.01 }) },
];
