import type { DetailedSlowOperation } from '../explain/slow-operation.js';
import { flag, type JsonSchema, list, object, optional, text, whole } from '../report/json-schema.js';
import { faultOf } from '../report/json-schema-check.js';
import { operationName, operationType, slowOperation } from '../report/operation-schemas.js';
import { count, milliseconds } from '../report/quantity-schemas.js';
import type { LogLine, OperationLog } from '../spans/operation-log.js';
import type { Waterfall, WaterfallSpan } from '../spans/waterfall.js';
import { MAX_RECORD_BYTES } from './fleet-store.js';
import { isPlain, knownOf } from './known-value.js';

const FORMAT = 'nestjs-performance-slow';
const FORMAT_VERSION = 1;
const MAX_SPANS = 201;
const MAX_LOG_LINES = 100;

/** A slow operation of another instance. */
export interface SlowRecord {
  /** The `service.instance.id` of the instance. */
  readonly instance: string;
  readonly operation: DetailedSlowOperation;
}

const ENVELOPE: JsonSchema = {
  type: 'object',
  required: ['format', 'formatVersion', 'service', 'instance', 'operation'],
  properties: {
    format: { type: 'string', enum: [FORMAT] },
    formatVersion: { type: 'integer', enum: [FORMAT_VERSION] },
    service: { type: 'string' },
    instance: { type: 'string' },
    operation: slowOperation.json,
  },
};

const WATERFALL = object<Waterfall>('Waterfall', {
  spans: list(
    object<WaterfallSpan>('WaterfallSpan', {
      name: operationName,
      type: operationType,
      startMs: milliseconds('Start'),
      durationMs: milliseconds('Duration'),
      parent: whole('The index of its parent', { minimum: -1 }),
      error: optional(flag('It failed', true)),
    }),
  ) as never,
  omitted: count('Spans that are not listed'),
}).json;

const LOG = object<OperationLog>('OperationLog', {
  lines: list(
    object<LogLine>('LogLine', {
      level: text(),
      offsetMs: milliseconds('Since the start of the operation'),
      context: optional(text()),
      message: text(),
    }),
  ) as never,
  omitted: count('Lines before them'),
}).json;

/** Its waterfall and its log are checked apart from it, as the schema of reports does not have them. */
const KNOWN: JsonSchema = {
  ...slowOperation.json,
  properties: { ...slowOperation.json.properties, waterfall: WATERFALL, log: LOG },
};

/** The text of a slow operation, without its waterfall and its log if it would be too long; undefined if it is even then. */
export function encodeSlow(service: string, { instance, operation }: SlowRecord): string | undefined {
  const encode = (one: DetailedSlowOperation): string =>
    JSON.stringify({ format: FORMAT, formatVersion: FORMAT_VERSION, service, instance, operation: one });
  const { waterfall: _waterfall, ...withoutWaterfall } = operation;
  const { log: _log, ...short } = withoutWaterfall;
  return [operation, withoutWaterfall, short]
    .map(encode)
    .find((encoded) => Buffer.byteLength(encoded) <= MAX_RECORD_BYTES);
}

/** The slow operation with this id; undefined for any text that is not one of this service. */
export function decodeSlow(service: string, id: string, encoded: unknown): SlowRecord | undefined {
  if (typeof encoded !== 'string' || Buffer.byteLength(encoded) > MAX_RECORD_BYTES) return undefined;
  const value = jsonIn(encoded);
  if (faultOf(ENVELOPE, value) !== undefined || !isPlain(value)) return undefined;
  const record = value as SlowRecord & { readonly service: string };
  const { instance, operation } = record;
  if (record.service !== service || operation.id !== id) return undefined;
  if (operation.waterfall !== undefined && !isWaterfall(operation.waterfall)) return undefined;
  if (operation.log !== undefined && !isLog(operation.log)) return undefined;
  return { instance, operation: knownOf(KNOWN, operation) };
}

/** Each span comes after its parent, so that nobody goes in circles. */
function isWaterfall(value: Waterfall): boolean {
  if (faultOf(WATERFALL, value) !== undefined || value.spans.length > MAX_SPANS) return false;
  return value.spans.every(({ parent }, index) => parent < index && (parent >= 0 || index === 0));
}

function isLog(value: OperationLog): boolean {
  return faultOf(LOG, value) === undefined && value.lines.length <= MAX_LOG_LINES;
}

function jsonIn(encoded: string): unknown {
  try {
    return JSON.parse(encoded);
  } catch {
    return undefined;
  }
}
