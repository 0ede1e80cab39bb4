// Counts operations of one variant against objectives, and sends CPU ns per operation.
import { SloCounters } from '../../dist/modules/alerting/slo-counters.js';
import { median } from '../support/figures.mjs';

const [variant] = process.argv.slice(2);
const OPERATIONS = 1000;
const BATCHES = 20;
const SIZE = 500_000;
const names = Array.from({ length: OPERATIONS }, (_, index) => `GET /api/resource-${index}/:id`);
const counters = new SloCounters(
  (variant === 'with' ? names : names.slice(0, 50)).map((operation) => ({
    operation: variant === 'with' ? operation : `${operation}/other`,
    objective: 0.999,
    thresholdMs: 300,
  })),
);
let kept = 0;
const count = {
  none: (name, ms, error) => {
    kept += error || ms > 300 ? name.length : 0;
  },
  without: (name, ms, error) => counters.record(name, ms, error, 'http'),
  with: (name, ms, error) => counters.record(name, ms, error, 'http'),
}[variant];

let now = Date.UTC(2026, 0, 1);
function batch() {
  const start = process.cpuUsage();
  for (let i = 0; i < SIZE; i++) count(names[i % OPERATIONS], i & 511, (i & 1023) === 0);
  const { user, system } = process.cpuUsage(start);
  now += 60_000;
  counters.turn(now);
  return ((user + system) * 1000) / SIZE;
}
batch();
const ns = Array.from({ length: BATCHES }, batch);
process.send(median(ns), () => process.exit(kept < 0 ? 1 : 0));
