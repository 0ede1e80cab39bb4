// The memory of statistics per operation, in bytes. Usage: node bench/memory.mjs
import { median, print, spread, table, verdict } from './support/figures.mjs';
import { run } from './support/processes.mjs';

const ROUNDS = 3;
const rows = [];
const worst = [];
for (const state of ['minute', 'day']) {
  for (const keys of [1000, 2000]) {
    const bytes = [];
    for (let round = 0; round < ROUNDS; round++) {
      const args = [state, String(keys), String(round + 1)];
      bytes.push(await run('memory/measure.mjs', args, ['--expose-gc']));
    }
    rows.push([
      state === 'minute' ? 'a minute of traffic' : 'a day of traffic',
      String(keys),
      spread(bytes, 0),
    ]);
    worst.push(median(bytes));
  }
}
print('Heap and array buffers, bytes per operation: median (min to max)');
table(['state', 'operations', 'bytes per operation'], rows);
verdict('bytes per operation, the greatest', Math.max(...worst), 4096, '');
