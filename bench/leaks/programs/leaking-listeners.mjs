// A listener for each request on an emitter that lives as long as the process.
import { EventEmitter } from 'node:events';

const bus = new EventEmitter();
bus.setMaxListeners(0);

export function handle({ id }) {
  const rows = Array.from({ length: 750 }, (_, n) => id * n + 0.5);
  bus.on('changed', () => rows.at(-1));
}
