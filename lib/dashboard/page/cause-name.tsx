import type { CauseName as Cause } from '../../explain/cause.js';

export const CAUSE_WORDS: Record<Cause, string> = {
  n_plus_one: 'N+1 queries',
  sequential_calls: 'Sequential calls',
  database: 'Database',
  cache: 'Cache',
  external: 'Outgoing calls',
  messaging: 'Messaging',
  rpc: 'RPC',
  connection_pool: 'Connection pool',
  cpu: 'Own JavaScript',
  event_loop_blocked: 'Event loop blocked',
  cpu_starved: 'No CPU available',
  gc: 'Garbage collection',
  waiting: 'Waiting',
  unknown: 'Unknown',
};

export function causeWord(cause: Cause): string {
  return CAUSE_WORDS[cause] ?? cause;
}

/** A cause with its color. */
export function CauseName({ cause }: { cause: Cause }) {
  return (
    <span class={`cause cause-${cause}`}>
      <span class="swatch" aria-hidden="true" />
      {causeWord(cause)}
    </span>
  );
}
