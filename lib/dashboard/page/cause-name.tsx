import type { CauseName as Cause } from '../../explain/cause.js';

const WORDS: Record<Cause, string> = {
  n_plus_one: 'N+1 queries',
  sequential_calls: 'Calls in sequence',
  database: 'Database',
  cache: 'Cache',
  external: 'Outgoing calls',
  messaging: 'Messaging',
  rpc: 'RPC',
  connection_pool: 'Waiting for a connection',
  cpu: 'Own JavaScript',
  event_loop_blocked: 'Event loop blocked',
  gc: 'Garbage collection',
  waiting: 'Waiting',
  unknown: 'Unknown',
};

export function causeWord(cause: Cause): string {
  return WORDS[cause] ?? cause;
}

/** The name of a cause beside its colour. */
export function CauseName({ cause }: { cause: Cause }) {
  return (
    <span class={`cause cause-${cause}`}>
      <span class="swatch" aria-hidden="true" />
      {causeWord(cause)}
    </span>
  );
}
