const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const WORD = 2 ** 32;

/** A random id of 16 bytes as 32 hexadecimal digits, never all zeros. Not for secrets. */
export function randomTraceId(): string {
  return randomSpanId() + randomSpanId();
}

/** A random id of 8 bytes as 16 hexadecimal digits, never all zeros. Not for secrets. */
export function randomSpanId(): string {
  const high = (Math.random() * WORD) >>> 0;
  return digits(high) + digits(high === 0 ? 1 : (Math.random() * WORD) >>> 0);
}

function digits(word: number): string {
  return (
    (HEX[word >>> 24] as string) +
    (HEX[(word >>> 16) & 255] as string) +
    (HEX[(word >>> 8) & 255] as string) +
    (HEX[word & 255] as string)
  );
}
