/** Runs tasks in the order in which they are given, no more than this many at a time. */
export function lanes(count: number): <T>(task: () => Promise<T>) => Promise<T> {
  let free = count;
  const waiting: (() => void)[] = [];
  return async (task) => {
    if (free > 0) free--;
    else await new Promise<void>((go) => waiting.push(go));
    try {
      return await task();
    } finally {
      // The lane goes to who waits longest, or is free.
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}
