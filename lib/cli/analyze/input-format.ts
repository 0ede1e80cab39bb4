import { InputFault } from './input-fault.js';

const COMPRESSED: readonly { name: string; magic: readonly number[]; command: string }[] = [
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd], command: 'zstd -d' },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58], command: 'xz -d' },
  { name: 'lz4', magic: [0x04, 0x22, 0x4d, 0x18], command: 'lz4 -d' },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68], command: 'bzip2 -d' },
  { name: 'zip', magic: [0x50, 0x4b, 0x03, 0x04], command: 'unzip' },
];
/** The Collector writes the length of a compressed or binary message before it. */
const LENGTH_BYTES = 4;
/** Bytes that are searched for what no JSON has. */
const SEARCHED = 64;
const BYTE_ORDER_MARK = 0xef;
const [OPEN_LIST, OPEN_OBJECT] = [91, 123];

/** The fault of input in another format than JSON in UTF-8, by its first bytes, with the way to convert it. */
export function formatFault(first: Buffer): InputFault | undefined {
  const compressed = COMPRESSED.find(
    ({ magic }) => startsWith(first, magic, 0) || startsWith(first, magic, LENGTH_BYTES),
  );
  if (compressed !== undefined) {
    const { name, command } = compressed;
    return unreadable(`${name}-compressed data`, `plain or gzipped JSON. Convert it with "${command} FILE"`);
  }
  if (isUtf16(first))
    return unreadable('UTF-16 text', 'UTF-8. Convert it with "iconv -f UTF-16 -t UTF-8 FILE"');
  if (isBinary(first))
    return unreadable(
      'binary data such as OTLP protobuf',
      `OTLP JSON. Set "format: json" of the Collector's file exporter, or convert the file with its otlpjsonfile exporter`,
    );
  return undefined;
}

/** The fault of spans in the format of Zipkin. @param line where they begin */
export function zipkinFault(line: number): InputFault {
  return unreadable(
    'spans of Zipkin',
    'OTLP JSON. Convert them with the zipkin receiver and the file exporter of the OpenTelemetry Collector',
    line,
  );
}

function unreadable(received: string, expected: string, line?: number): InputFault {
  return new InputFault(line, `Invalid trace file: received ${received}, expected ${expected}`);
}

function startsWith(bytes: Buffer, magic: readonly number[], at: number): boolean {
  return magic.every((byte, index) => bytes[at + index] === byte);
}

function isUtf16(bytes: Buffer): boolean {
  const [one, two, three] = bytes;
  if ((one === 0xff && two === 0xfe) || (one === 0xfe && two === 0xff)) return true;
  const opens = (byte: number | undefined): boolean => byte === OPEN_LIST || byte === OPEN_OBJECT;
  return (opens(one) && two === 0) || (one === 0 && opens(two) && three === 0);
}

/** Whether there are bytes that JSON has nowhere, or that begin no value. */
function isBinary(bytes: Buffer): boolean {
  let begun = false;
  for (const byte of bytes.subarray(0, SEARCHED)) {
    const isSpace = byte === 9 || byte === 10 || byte === 13 || byte === 32;
    if (byte < 32 && !isSpace) return true;
    if (!begun && byte > 127 && byte !== BYTE_ORDER_MARK) return true;
    begun ||= !isSpace;
  }
  return false;
}
