// A batch that grows with each request and is written every five seconds.
let batch = [];
setInterval(() => {
  batch = [];
}, 5000).unref();

export function handle({ id }) {
  batch.push(Array.from({ length: 1500 }, (_, n) => id * n + 0.5));
}
