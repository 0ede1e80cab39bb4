import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../../lib/bytes/byte-buffers.js';

describe('numbers in bytes', () => {
  it('are read as they were written, also of bytes within others', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.maxSafeNat(), fc.double({ noNaN: true }), fc.float({ noNaN: true }))),
        (numbers) => {
          const writer = new ByteWriter();
          for (const [whole, double, float] of numbers) {
            writer.varint(whole);
            writer.float64(double);
            writer.float32(float);
          }
          const { written } = writer;
          const around = new Uint8Array(written.length + 20).fill(255);
          around.set(written, 10);
          const reader = new ByteReader(around.subarray(10, 10 + written.length), 'log');
          for (const [whole, double, float] of numbers) {
            expect(reader.varint()).toBe(whole);
            expect(reader.float64()).toBe(double);
            expect(reader.float32()).toBe(float);
          }
          expect(reader.isAtEnd).toBe(true);
        },
      ),
      { seed: 7, numRuns: 200 },
    );
  });

  it('are refused where the bytes end within one', () => {
    const error = new RangeError('Invalid log: it ends within a number');
    expect(() => new ByteReader(new Uint8Array(7), 'log').float64()).toThrow(error);
    expect(() => new ByteReader(new Uint8Array(3), 'log').float32()).toThrow(error);
    expect(() => new ByteReader(Uint8Array.of(128), 'log').varint()).toThrow(error);
  });
});
