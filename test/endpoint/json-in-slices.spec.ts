import { setImmediate } from 'node:timers';
import { describe, expect, it } from '@jest/globals';
import { jsonInSlices } from '../../lib/async/json-in-slices.js';

async function collect(entries: Iterable<unknown>): Promise<string[]> {
  const pieces: string[] = [];
  for await (const piece of jsonInSlices({ total: 3, name: '"]' }, 'operations', entries)) pieces.push(piece);
  return pieces;
}

function busy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('JSON in slices', () => {
  it.each([[[]], [[1]], [[{ a: '],' }, { b: [2] }, null]]])(
    'equals JSON.stringify for %j',
    async (entries) => {
      const text = (await collect(entries)).join('');
      expect(JSON.parse(text)).toEqual({ total: 3, name: '"]', operations: entries });
    },
  );

  it('yields to other work between entries', async () => {
    let turns = 0;
    let running = true;
    const turn = (): void => {
      turns++;
      if (running) setImmediate(turn);
    };
    setImmediate(turn);
    function* slow(): Generator<number> {
      for (let count = 0; count < 20; count++) {
        busy(1);
        yield turns;
      }
    }
    const seen = JSON.parse((await collect(slow())).join('')).operations as number[];
    running = false;
    expect(new Set(seen).size).toBeGreaterThan(15);
  });
});
