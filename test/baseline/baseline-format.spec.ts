import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  BaselineFault,
  decodeSnapshot,
  encodeSnapshot,
  NewerFormatFault,
} from '../../lib/baseline/baseline-format.js';
import { MAX_OPERATIONS } from '../../lib/baseline/baseline-snapshot.js';
import { isInstanceKey, newInstanceKey } from '../../lib/operation/instance.js';
import { entry, snapshot } from './programs/snapshots.js';

describe('the format of a snapshot', () => {
  it('round-trips', async () => {
    const one = snapshot({
      operations: [entry('GET /a'), entry('é "\n', 3, 5, Uint8Array.of(1, 255))],
      slo: { x: 1 },
    });
    expect(decodeSnapshot(await encodeSnapshot(one))).toEqual(one);
    const bare = snapshot({ version: undefined, operations: [] });
    expect(decodeSnapshot(await encodeSnapshot(bare))).toEqual(bare);
  });

  it('refuses every text that was cut', async () => {
    const text = await encodeSnapshot(snapshot({ operations: [entry('GET /a'), entry('GET /b')] }));
    for (let length = 0; length < text.length; length++)
      expect(() => decodeSnapshot(text.slice(0, length))).toThrow(BaselineFault);
  });

  it('refuses every text in which a character is another', async () => {
    const text = await encodeSnapshot(snapshot());
    fc.assert(
      fc.property(fc.nat(text.length - 2), (at) => {
        const other = text[at] === 'x' ? 'y' : 'x';
        expect(() => decodeSnapshot(text.slice(0, at) + other + text.slice(at + 1))).toThrow(BaselineFault);
      }),
      { seed: 5, numRuns: 300 },
    );
  });

  it('names the fault', async () => {
    const text = await encodeSnapshot(snapshot());
    expect(() => decodeSnapshot('{}\n')).toThrow('it is not a baseline of nestjs-performance');
    expect(() => decodeSnapshot(text.replace('"shop"', '7'))).toThrow('checksum');
    expect(() => decodeSnapshot(`${text}{}\n`)).toThrow('it continues after its last line');
    expect(() => decodeSnapshot(text.replace('"formatVersion":1', '"formatVersion":0'))).toThrow(
      'received formatVersion 0, expected 1',
    );
    await expect(encodeSnapshot(snapshot({ instance: '../x' })).then(decodeSnapshot)).rejects.toThrow(
      'invalid instance: received "../x"',
    );
    await expect(encodeSnapshot(snapshot({ savedAt: Number.NaN })).then(decodeSnapshot)).rejects.toThrow(
      'invalid savedAt: received null',
    );
  });

  it('distinguishes a newer format from a damaged one', async () => {
    const text = await encodeSnapshot(snapshot());
    expect(() => decodeSnapshot(text.replace('"formatVersion":1', '"formatVersion":2'))).toThrow(
      NewerFormatFault,
    );
  });

  it('writes 10,000 operations and no more', async () => {
    const one = entry('x', 1, 1);
    const operations = Array.from({ length: MAX_OPERATIONS + 5 }, (_, i) => ({ ...one, name: `GET /${i}` }));
    expect(decodeSnapshot(await encodeSnapshot(snapshot({ operations }))).operations).toHaveLength(
      MAX_OPERATIONS,
    );
  });

  it('leaves out names that are too long', async () => {
    const operations = [entry('n'.repeat(1025)), entry('n'.repeat(1024))];
    expect(decodeSnapshot(await encodeSnapshot(snapshot({ operations }))).operations).toHaveLength(1);
  });

  it('has ids that are a file name', () => {
    expect(isInstanceKey(newInstanceKey())).toBe(true);
    expect(newInstanceKey()).not.toBe(newInstanceKey());
    for (const id of ['', '.', '..', '.a', 'a/b', 'a\n', 'a'.repeat(129)])
      expect(isInstanceKey(id)).toBe(false);
  });
});
