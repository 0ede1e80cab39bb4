// Loaded before the sample application: an instance with 520 MB in its heap.
const { isMainThread } = require('node:worker_threads');

// Not in the processes that it starts.
if (isMainThread && process.argv[1]?.endsWith('main.js'))
  globalThis.ballast = Array.from({ length: 65 }, () => new Array(1_000_000).fill(0.5));
