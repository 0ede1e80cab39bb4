// Counts operations of one variant in its own process, and sends CPU ns per operation. The clock is simulated: 10,000
// operations per second, so that slots turn and windows close as they do in a busy application.
import { OperationHistory } from '../../dist/modules/statistics/operation-history.js';
import { Statistics } from '../../dist/modules/statistics/statistics.js';
import { median } from '../support/figures.mjs';

const [variant] = process.argv.slice(2);
const keys = variant.startsWith('many') ? 1000 : 10;
const plain = variant.endsWith('-plain');
const work = variant === 'work';
const BATCHES = 20;
const OPERATIONS = 200_000;
const SECOND = 10_000;

const names = Array.from({ length: keys }, (_, index) => `GET /api/resource-${index}/:id`);
const latencies = Float64Array.from({ length: 1 << 14 }, () => 5 * Math.exp(0.6 * (Math.random() * 4 - 2)));
const parts = [1.5, -0, 0.5, -0, -0, -0, 1, 2];
const statistics = new Statistics(keys, plain ? undefined : (type, name) => new OperationHistory(type, name));

let counted = 0;
function batch() {
  const start = process.cpuUsage();
  for (let i = 0; i < OPERATIONS; i++) {
    const now = (++counted / SECOND) * 1000;
    const ms = latencies[counted & 16383];
    const history = statistics.record('http', names[counted % keys], ms, ms > 1000, false, now);
    if (work) history.addWork(parts, 3);
  }
  const { user, system } = process.cpuUsage(start);
  return ((user + system) * 1000) / OPERATIONS;
}
batch();
const ns = Array.from({ length: BATCHES }, batch);
process.send(median(ns));
