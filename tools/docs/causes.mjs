/** What each cause is concluded from, and what to do about it. A cause that is missing here fails the generator. */
export const CAUSES = new Map([
  [
    'n_plus_one',
    [
      'The same statement or call at least 5 times within one request: sequential, interleaved or parallel',
      'Ask once for all of them: a join, `IN` or a loader. See [N+1 queries](../guides/n-plus-one.md)',
    ],
  ],
  [
    'sequential_calls',
    [
      "Three or more reads one after the other, none of which depended on another's result",
      'Start them together and await all of them: `Promise.all`',
    ],
  ],
  [
    'database',
    [
      'The event loop was idle and a database span below it ran. What runs side by side shares the time',
      'Look at the statement at `/performance/queries`, and at its [plan](../guides/query-plans.md); an index, fewer rows, a cache',
    ],
  ],
  [
    'cache',
    ['The event loop was idle and a cache span below it ran', 'Fewer round trips: `MGET`, a pipeline'],
  ],
  [
    'external',
    [
      'The event loop was idle and an outgoing call below it ran',
      'A timeout, a cache, or the service that was called',
    ],
  ],
  [
    'messaging',
    ['The event loop was idle and a span of a message queue below it ran', 'Batches, or a broker nearby'],
  ],
  ['rpc', ['The event loop was idle and an RPC call below it ran', 'As for `external`']],
  [
    'connection_pool',
    [
      'The event loop was idle until a pool handed out a connection',
      'First shorten what holds the connections: long transactions, slow queries, calls within a transaction. Then enlarge the pool',
    ],
  ],
  [
    'cpu',
    [
      'The event loop was busy with it, whatever it waited for meanwhile. The stack is captured where that lasts long enough',
      'A [profile](../guides/profiling.md) names the functions',
    ],
  ],
  [
    'event_loop_blocked',
    [
      'The event loop was busy with other work during its time: the operation and the function are named',
      'Change the function that blocked, not the operation that waited',
    ],
  ],
  [
    'cpu_starved',
    [
      "The main thread was ready to run and had no CPU: other processes used it, or the container's CPU limit stopped it. Linux only",
      'Raise the CPU limit, or move neighbours to another machine. Where the operation would be slow with a CPU of its own, too, its own cause comes first',
    ],
  ],
  [
    'gc',
    [
      'Garbage collection pauses during its time',
      'Allocate less: an [allocation profile](../guides/profiling.md#on-demand) names the functions',
    ],
  ],
  [
    'waiting',
    [
      'The event loop was idle, and nothing instrumented was waited for: a timer, a lock, or other I/O',
      'See [a query is not seen](../guides/troubleshooting.md#a-query-or-call-is-not-seen), or decorate the method that waits',
    ],
  ],
  [
    'unknown',
    [
      'None of the above took a quarter of its time with a CPU',
      'Decorate [your own methods](../guides/own-methods.md) to divide the time further',
    ],
  ],
]);

/** What each type of finding is. */
export const FINDINGS = new Map([
  ['n_plus_one', ['One statement or call was repeated within one request, with other values each time']],
  ['duplicate_queries', ['One statement was repeated within one request with the same values']],
  ['sequential_calls', ["Reads ran one after the other, and none depended on another's result"]],
  [
    'event_loop_block',
    ['One piece of JavaScript blocked the event loop for at least `detection.eventLoopBlock.limitMs`'],
  ],
  [
    'overlapping_runs',
    ['A run of `@Cron` or `@Interval` started while the previous one of the same instance still ran'],
  ],
  [
    'missed_runs',
    ['Runs of `@Cron` or `@Interval` were due while the event loop was blocked or the process suspended'],
  ],
  ['errors', ['Operations of one route fail with errors of one class from one line of your code']],
  ['regression', ['An operation got slower, fails more often, or makes more queries than before']],
  ['trend', ['An operation or a resource of the process drifts slowly upwards']],
  ['memory_leak', ['Memory grows and stays after full garbage collections']],
]);
