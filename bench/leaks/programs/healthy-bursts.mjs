// A queue that fills for three seconds of twelve and is then worked off.
let queue = [];

export function handle({ id }) {
  const busy = Date.now() % 12_000 < 3000;
  if (busy) queue.push(Array.from({ length: 2500 }, (_, n) => id * n + 0.5));
  else queue = [];
}
