import { createHash } from 'node:crypto';
import { runCooperatively, runToCompletion } from '../async/cooperative.js';
import { isInstanceKey } from '../operation/instance.js';
import { formatValue } from '../validation/options-error.js';
import { operationKey } from './baseline-merge.js';
import {
  type BaselineEntry,
  type BaselineSnapshot,
  MAX_ABSORBED,
  MAX_NAME_LENGTH,
  MAX_OPERATIONS,
  MAX_PART_BYTES,
  MAX_SNAPSHOT_BYTES,
  type SnapshotToSave,
} from './baseline-snapshot.js';
import { PERIODS_FORMAT } from './operation-periods.js';

const FORMAT = 'nestjs-performance-baseline';
const FORMAT_VERSION = 1;
/** The number of operations per piece. */
const LINES_PER_PIECE = 8;

/** Thrown for a text that is not a snapshot, or a damaged one. */
export class BaselineFault extends Error {}

/** Thrown for a snapshot of a newer version of this package, which is not damaged and must be kept. */
export class NewerFormatFault extends BaselineFault {}

/**
 * A snapshot as lines of JSON, in pieces: a header, with the memory of its processes in base64, which releases that do not know
 * it ignore; for each operation `[type, name, count, sketch, model]`, with bytes in
 * base64, followed by `rebasedAt` if present; for each operation with periods `[type, name, 0, periods, '']`, as far as the
 * number of lines allows; and the number of these lines with the SHA-256 of all lines before. Releases that know no periods
 * ignore their lines, since the first byte is not the format of a sketch.
 */
export function* snapshotLines(snapshot: SnapshotToSave): Generator<string, void> {
  const hash = createHash('sha256');
  const { operations, absorbs, memory, ...rest } = snapshot;
  const header = {
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    ...rest,
    absorbs: absorbs.slice(-MAX_ABSORBED),
    ...(memory === undefined ? {} : { memory: base64(memory) }),
  };
  let piece = `${JSON.stringify(header)}\n`;
  let count = 0;
  for (const line of linesToWrite(operations)) {
    piece += `${JSON.stringify(line)}\n`;
    if (++count % LINES_PER_PIECE !== 0) continue;
    hash.update(piece);
    yield piece;
    piece = '';
  }
  hash.update(piece);
  yield `${piece}${JSON.stringify({ operations: count, sha256: hash.digest('hex') })}\n`;
}

function* linesToWrite(operations: Iterable<BaselineEntry>): Generator<unknown[], void> {
  const periodLines: unknown[][] = [];
  let count = 0;
  for (const { type, name, count: weight, sketch, model, rebasedAt, periods } of operations) {
    if (count === MAX_OPERATIONS) break;
    if (!isName(type) || !isName(name)) continue;
    count++;
    const line = [type, name, weight, base64(sketch), base64(model)];
    yield rebasedAt === undefined ? line : [...line, rebasedAt];
    if (periods !== undefined) periodLines.push([type, name, 0, base64(periods), '']);
  }
  yield* periodLines.slice(0, MAX_OPERATIONS - count);
}

/** A snapshot as text, encoded in slices of 1.5 ms. */
export async function encodeSnapshot(snapshot: SnapshotToSave): Promise<string> {
  const pieces: string[] = [];
  await runCooperatively(snapshotLines(snapshot), (piece) => pieces.push(piece));
  return pieces.join('');
}

/** Decodes a snapshot. @throws {@link BaselineFault} */
export function decodeSnapshot(text: string): BaselineSnapshot {
  return runToCompletion(decoding(text));
}

/** Decodes a snapshot in slices of 1.5 ms. Rejects with {@link BaselineFault}. */
export function decodeSnapshotInSlices(text: string): Promise<BaselineSnapshot> {
  return runCooperatively(decoding(text));
}

function* decoding(text: string): Generator<void, BaselineSnapshot> {
  if (text.length > MAX_SNAPSHOT_BYTES)
    throw new BaselineFault(`it has ${text.length} characters, expected at most ${MAX_SNAPSHOT_BYTES}`);
  const hash = createHash('sha256');
  const operations: BaselineEntry[] = [];
  let indexes: Map<string, number> | undefined;
  let read = 0;
  const lines = linesOf(text);
  const first = lines.next();
  const header = objectIn(first.done === true ? '' : first.value);
  checkFormat(header);
  hash.update(`${first.value as string}\n`);
  for (const line of lines) {
    if (line.startsWith('{')) {
      const { operations: count, sha256 } = objectIn(line);
      if (count !== read)
        throw new BaselineFault(`it has ${read} operations, expected ${formatValue(count)}`);
      if (sha256 !== hash.digest('hex')) throw new BaselineFault('its checksum is wrong');
      if (lines.next().done !== true) throw new BaselineFault('it continues after its last line');
      return { ...headerIn(header), operations };
    }
    if (read === MAX_OPERATIONS) throw new BaselineFault(`it has more than ${MAX_OPERATIONS} operations`);
    hash.update(`${line}\n`);
    const entry = entryIn(line, read++);
    if (entry.sketch[0] === PERIODS_FORMAT) {
      indexes ??= new Map(operations.map((one, index) => [operationKey(one), index]));
      addPeriods(operations, indexes.get(operationKey(entry)), entry.sketch);
    } else operations.push(entry);
    yield;
  }
  throw new BaselineFault('its end is missing');
}

/** Periods of an operation that is not listed are ignored. */
function addPeriods(operations: BaselineEntry[], index: number | undefined, periods: Uint8Array): void {
  const entry = index === undefined ? undefined : operations[index];
  if (entry !== undefined) operations[index as number] = { ...entry, periods };
}

/** The lines that end with a line break. */
function* linesOf(text: string): Generator<string, void> {
  for (let at = 0; ; ) {
    const end = text.indexOf('\n', at);
    if (end < 0) return;
    yield text.slice(at, end);
    at = end + 1;
  }
}

function checkFormat({ format, formatVersion }: Record<string, unknown>): void {
  if (format !== FORMAT) throw new BaselineFault('it is not a baseline of nestjs-performance');
  if (typeof formatVersion === 'number' && formatVersion > FORMAT_VERSION)
    throw new NewerFormatFault(
      `its format version is ${formatVersion}, expected ${FORMAT_VERSION}: update nestjs-performance to read it`,
    );
  if (formatVersion !== FORMAT_VERSION)
    throw new BaselineFault(
      `received formatVersion ${formatValue(formatVersion)}, expected ${FORMAT_VERSION}`,
    );
}

function headerIn(header: Record<string, unknown>): Omit<BaselineSnapshot, 'operations'> {
  const { service, version, instance, startedAt, savedAt, absorbs, memory, slo, ended } = header;
  if (!isName(service)) throw wrong('service', service, `a string of at most ${MAX_NAME_LENGTH} characters`);
  if (version !== undefined && !isName(version))
    throw wrong('version', version, `a string of at most ${MAX_NAME_LENGTH} characters`);
  if (!isInstanceKey(instance))
    throw wrong('instance', instance, 'at most 128 letters, digits, dots, - and _');
  if (!isAmount(startedAt)) throw wrong('startedAt', startedAt, 'milliseconds since 1970');
  if (!isAmount(savedAt)) throw wrong('savedAt', savedAt, 'milliseconds since 1970');
  if (!Array.isArray(absorbs) || absorbs.length > MAX_ABSORBED || !absorbs.every(isInstanceKey))
    throw wrong('absorbs', absorbs, `at most ${MAX_ABSORBED} instances`);
  if (ended !== undefined && ended !== true) throw wrong('ended', ended, 'true or nothing');
  return {
    ...{ service, version, instance, startedAt, savedAt, absorbs },
    ...(memory === undefined ? {} : { memory: bytesIn(memory, 'memory') }),
    ...(slo === undefined ? {} : { slo }),
    ...(ended === undefined ? {} : { ended }),
  };
}

function entryIn(line: string, index: number): BaselineEntry {
  const where = `operations[${index}]`;
  const value = jsonIn(line);
  if (!Array.isArray(value) || value.length < 5 || value.length > 6)
    throw new BaselineFault(`${where} is not an operation`);
  const [type, name, count, sketch, model, rebasedAt] = value as unknown[];
  if (!isName(type)) throw wrong(`${where}.type`, type, `a string of at most ${MAX_NAME_LENGTH} characters`);
  if (!isName(name)) throw wrong(`${where}.name`, name, `a string of at most ${MAX_NAME_LENGTH} characters`);
  if (!isAmount(count)) throw wrong(`${where}.count`, count, 'a number of 0 or more');
  if (rebasedAt !== undefined && !isAmount(rebasedAt))
    throw wrong(`${where}.rebasedAt`, rebasedAt, 'milliseconds since 1970');
  return {
    type,
    name,
    count,
    sketch: bytesIn(sketch, `${where}.sketch`),
    model: bytesIn(model, `${where}.model`),
    ...(rebasedAt === undefined ? {} : { rebasedAt }),
  };
}

function bytesIn(value: unknown, field: string): Uint8Array {
  if (typeof value !== 'string' || value.length > MAX_PART_BYTES * 2)
    throw wrong(field, typeof value, `at most ${MAX_PART_BYTES} bytes in base64`);
  return new Uint8Array(Buffer.from(value, 'base64'));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function wrong(field: string, value: unknown, allowed: string): BaselineFault {
  return new BaselineFault(`invalid ${field}: received ${formatValue(value)}, expected ${allowed}`);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_NAME_LENGTH;
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function objectIn(line: string): Record<string, unknown> {
  const value = jsonIn(line);
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function jsonIn(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
