import { CAUSES } from '../explain/cause.js';
import type { Finding } from '../explain/finding.js';
import { isInstanceKey } from '../operation/instance.js';
import { flag, type JsonSchema, object, oneOf, optional, text, whole } from '../report/json-schema.js';
import { faultOf } from '../report/json-schema-check.js';
import { finding, operationName, operationType } from '../report/operation-schemas.js';
import { count, milliseconds, moment, ratio, share } from '../report/quantity-schemas.js';
import { formatValue } from '../validation/options-error.js';
import { own } from '../validation/own.js';
import { packFigures, unpackFigures } from './figures.js';
import {
  type InstanceProcess,
  type InstanceSummary,
  MAX_FINDINGS,
  MAX_OPERATIONS,
  MAX_SLOW,
  MAX_SUMMARY_BYTES,
  MAX_TYPES,
  type OperationFigures,
  type SlowHead,
  type TypeFigures,
} from './instance-summary.js';
import { isPlain, knownOf } from './known-value.js';

const FORMAT = 'nestjs-performance-instance';
const FORMAT_VERSION = 1;

/** Thrown for a text that is not a summary. */
export class SummaryFault extends Error {}

type Header = Omit<InstanceSummary, 'types' | 'operations' | 'findings' | 'slow'>;

const HEADER = object<Header>('Instance', {
  service: text(),
  key: text(),
  id: text(),
  version: optional(text()),
  host: text(),
  pid: count('The id of the process'),
  worker: optional(text()),
  startedAt: moment('When the process started'),
  countingSince: moment('When counting started'),
  publishedAt: moment('When it was published'),
  sequence: count('The number of the summary'),
  intervalMs: milliseconds('Until the next'),
  process: object<InstanceProcess>('Process', {
    cpuPercent: optional(ratio('Percent of one core')),
    rssMb: ratio('MB'),
    heapUsedMb: ratio('MB'),
    heapLimitMb: ratio('MB'),
    eventLoopUtilization: optional(share('Busy time')),
  }),
  operationCount: count('All operations'),
}).json;

const SLOW = object<SlowHead>('Slow', {
  id: text(),
  timestamp: moment('When it ended'),
  type: operationType,
  name: operationName,
  durationMs: milliseconds('Duration'),
  thresholdMs: milliseconds('Threshold'),
  error: flag('Whether it failed'),
  cause: oneOf(CAUSES),
  explanation: text(),
}).json;
const FORMAT_HEADER = object<{ format: string; formatVersion: number }>('Format', {
  format: text(),
  formatVersion: whole('Version'),
}).json;

/** The summary as text of at most {@link MAX_SUMMARY_BYTES}. Yields after each part. */
export function* encodingSummary(summary: InstanceSummary): Generator<void, string> {
  const { types, operations, findings, slow, ...header } = summary;
  let room = MAX_SUMMARY_BYTES;
  /** As many of the items as there is room for. */
  function* listOf<T>(
    items: readonly T[],
    max: number,
    share: number,
    pack: (item: T) => unknown,
  ): Generator<void, string> {
    const least = room - Math.floor(MAX_SUMMARY_BYTES * share);
    const parts: string[] = [];
    for (const item of items.slice(0, max)) {
      const part = JSON.stringify(pack(item));
      const bytes = Buffer.byteLength(part) + 1;
      if (room - bytes < Math.max(0, least)) continue;
      room -= bytes;
      parts.push(part);
      yield;
    }
    return `[${parts.join()}]`;
  }
  const start = JSON.stringify({ format: FORMAT, formatVersion: FORMAT_VERSION, ...header }).slice(0, -1);
  room -= Buffer.byteLength(start) + '"types":[],"slow":[],"findings":[],"operations":[],,,,}'.length;
  const packed = [
    `"types":${yield* listOf(types, MAX_TYPES, 0.2, ({ type, minute, lifetime }) => [type, packFigures(minute), packFigures(lifetime)])}`,
    `"slow":${yield* listOf(slow, MAX_SLOW, 0.2, (one) => one)}`,
    `"findings":${yield* listOf(findings, MAX_FINDINGS, 0.3, (one) => one)}`,
    `"operations":${yield* listOf(operations, MAX_OPERATIONS, 1, packOperation)}`,
  ];
  return `${start},${packed.join()}}`;
}

function packOperation({ type, name, thresholdMs, excessMs, minute, lifetime }: OperationFigures): unknown {
  return [type, name, thresholdMs ?? null, excessMs, packFigures(minute), packFigures(lifetime)];
}

/** Decodes a summary. @throws {@link SummaryFault} for any other text */
export function decodeSummary(encoded: unknown): InstanceSummary {
  if (typeof encoded !== 'string') throw new SummaryFault('it is not text');
  const bytes = Buffer.byteLength(encoded);
  if (bytes > MAX_SUMMARY_BYTES)
    throw new SummaryFault(`it has ${bytes} bytes, expected at most ${MAX_SUMMARY_BYTES}`);
  const value = jsonIn(encoded);
  check(FORMAT_HEADER, value);
  if (value['format'] !== FORMAT) throw new SummaryFault('it is not a summary of nestjs-performance');
  if (value['formatVersion'] !== FORMAT_VERSION)
    throw new SummaryFault(
      `its format version is ${formatValue(value['formatVersion'])}, expected ${FORMAT_VERSION}`,
    );
  check(HEADER, value);
  if (!isPlain(value))
    throw new SummaryFault('it is nested too deeply, or contains a number that is too large');
  const header = knownOf(HEADER, value as unknown as Header);
  if (!isInstanceKey(header.key)) throw new SummaryFault('its key is invalid');
  return {
    ...header,
    types: entriesOf(value, 'types', MAX_TYPES).map(typeIn),
    operations: entriesOf(value, 'operations', MAX_OPERATIONS).map(operationIn),
    findings: listIn<Finding>(finding.json, value, 'findings', MAX_FINDINGS),
    slow: listIn<SlowHead>(SLOW, value, 'slow', MAX_SLOW),
  };
}

/** Without the entries with a name that only a later release knows, such as another cause. */
function listIn<T>(schema: JsonSchema, value: Record<string, unknown>, name: string, max: number): T[] {
  const known: T[] = [];
  for (const [index, entry] of (entriesOf(value, name, max) as T[]).entries()) {
    if (faultOf(schema, entry) === undefined) known.push(knownOf(schema, entry));
    else check(withAnyName(schema), entry, `${name}[${index}]`);
  }
  return known;
}

/** The schema with any text where it lists texts. */
function withAnyName({ enum: _names, ...schema }: JsonSchema): JsonSchema {
  const { properties } = schema;
  if (properties === undefined) return schema;
  const entries = Object.entries(properties).map(([name, inner]) => [name, withAnyName(inner)] as const);
  return { ...schema, properties: Object.fromEntries(entries) };
}

function typeIn(entry: unknown): TypeFigures {
  const [type, minute, lifetime] = Array.isArray(entry) ? (entry as unknown[]) : [];
  if (typeof type !== 'string') throw new SummaryFault('a type is invalid');
  return { type, minute: figuresIn(minute), lifetime: figuresIn(lifetime) };
}

function operationIn(entry: unknown): OperationFigures {
  const [type, name, thresholdMs, excessMs, minute, lifetime] = Array.isArray(entry)
    ? (entry as unknown[])
    : [];
  if (typeof type !== 'string' || typeof name !== 'string' || !isAmount(excessMs))
    throw new SummaryFault('an operation is invalid');
  if (thresholdMs !== null && !isAmount(thresholdMs)) throw new SummaryFault('a threshold is invalid');
  return {
    ...{ type, name, excessMs },
    ...(thresholdMs === null ? {} : { thresholdMs }),
    minute: figuresIn(minute),
    lifetime: figuresIn(lifetime),
  };
}

function figuresIn(packed: unknown): TypeFigures['minute'] {
  try {
    return unpackFigures(packed);
  } catch (error) {
    throw new SummaryFault((error as Error).message);
  }
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}

function entriesOf(value: Record<string, unknown>, name: string, max: number): unknown[] {
  const entries = own(value, name);
  if (!Array.isArray(entries) || entries.length > max)
    throw new SummaryFault(`${name}: received ${formatValue(entries)}, expected up to ${max} entries`);
  return entries;
}

function check(schema: JsonSchema, value: unknown, path?: string): void {
  const fault = faultOf(schema, value, path);
  if (fault !== undefined) throw new SummaryFault(fault);
}

function jsonIn(encoded: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(encoded);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {}
  throw new SummaryFault('it is not JSON');
}
