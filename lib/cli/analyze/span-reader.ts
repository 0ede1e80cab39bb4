import { SpanKind } from '@opentelemetry/api';
import type { OperationType } from '../../operation/operation.js';
import type { ClassifiableSpan } from '../../spans/classify.js';
import { describeSpan, type SpanDescription } from '../../spans/span-description.js';
import { StatementCache } from '../../spans/statement.js';
import { WORKS } from '../../spans/work.js';
import type { WorkKey } from '../../spans/work-group.js';
import { attributesOf, idOf, isError, isFields, spanKindOf } from './otlp-values.js';
import type { RecordedSpan } from './recorded-span.js';
import { describeRecorded, needsStatement, partOf } from './recorded-work.js';
import type { RawSpan } from './trace-reader.js';

/** OTLP `SpanFlags`: whether the parent is known to be remote, and whether it is. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

/** Converts spans of OTLP JSON to {@link RecordedSpan}. */
export class SpanReader {
  private readonly statements = new StatementCache();
  private readonly interner = new Interner();
  private readonly clock = new Clock();

  /** @returns undefined for an invalid span: without ids or times, or with an end before its start */
  read({ value, service, isAdjusted }: RawSpan): { traceId: string; span: RecordedSpan } | undefined {
    if (!isFields(value)) return undefined;
    const traceId = idOf(value['traceId'], 16);
    const spanId = idOf(value['spanId'], 8);
    const startedAt = this.clock.read(value['startTimeUnixNano']);
    const endedAt = this.clock.read(value['endTimeUnixNano']);
    if (traceId === '' || spanId === '' || startedAt === undefined || endedAt === undefined) return undefined;
    if (endedAt < startedAt) return undefined;
    const name = typeof value['name'] === 'string' ? value['name'] : '';
    const kind = spanKindOf(value['kind']);
    const attributes = attributesOf(value['attributes']);
    const described: ClassifiableSpan = { name, kind, attributes };
    const description = describeSpan(described, this.statements);
    const { type, work } = description;
    const served = kind === SpanKind.SERVER || kind === SpanKind.CONSUMER;
    const todo = work < WORKS ? describeRecorded(description, attributes) : undefined;
    const part = type === 'database' ? partOf(name, attributes) : undefined;
    const flags = Number(value['flags'] ?? 0);
    const rows = Number(attributes['db.response.returned_rows']);
    return {
      traceId,
      span: {
        service,
        spanId,
        parentId: idOf(value['parentSpanId'], 8),
        remoteParent: (flags & HAS_IS_REMOTE) === 0 ? undefined : (flags & IS_REMOTE) !== 0,
        kind,
        startedAt,
        endedAt,
        isAdjusted,
        error: isError(value['status']),
        work,
        key: todo === undefined ? undefined : this.interner.key(todo.key),
        inputs: todo?.inputs,
        rows: Number.isFinite(rows) ? rows : undefined,
        lacks: lackOf(type, todo, type === 'database' && part !== 'prepare' && needsStatement(name)),
        part,
        route: served ? this.interner.name(this.routeOf(description, described)) : '',
      },
    };
  }

  /** Uses the span name if no route was recorded. Low cardinality is not required for one trace. */
  private routeOf({ type, name }: SpanDescription, span: ClassifiableSpan): string {
    const unrouted = type === 'http' && span.attributes['http.route'] === undefined;
    return (unrouted && span.name !== '' ? span.name : name) || '(unnamed)';
  }
}

function lackOf(
  type: OperationType,
  todo: { readonly key: WorkKey } | undefined,
  needsText: boolean,
): RecordedSpan['lacks'] {
  if (todo === undefined) return needsText ? 'statement' : undefined;
  return type === 'external' && todo.key.effect === 'control' ? 'address' : undefined;
}

/** Each cache is cleared above this size. */
const CAPACITY = 20_000;

/** Deduplicates statements and routes, which recur in most requests. */
class Interner {
  private readonly keys = new Map<string, WorkKey>();
  private readonly names = new Map<string, string>();

  key(key: WorkKey): WorkKey {
    const known = this.keys.get(key.fingerprint);
    if (known !== undefined) return known;
    if (this.keys.size >= CAPACITY) this.keys.clear();
    this.keys.set(key.fingerprint, key);
    return key;
  }

  name(name: string): string {
    const known = this.names.get(name);
    if (known !== undefined) return known;
    if (this.names.size >= CAPACITY) this.names.clear();
    this.names.set(name, name);
    return name;
  }
}

/** Seconds and nanoseconds are separate, as a double cannot represent nanoseconds since 1970. */
interface Instant {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** Converts nanoseconds since 1970 to milliseconds since the first value, with nanosecond precision. */
class Clock {
  private base: number | undefined;

  /** Milliseconds; undefined for an invalid value. */
  read(value: unknown): number | undefined {
    const instant =
      typeof value === 'string' ? ofText(value) : typeof value === 'number' ? ofNumber(value) : undefined;
    if (instant === undefined) return undefined;
    this.base ??= instant.seconds;
    return (instant.seconds - this.base) * 1000 + instant.nanoseconds / 1e6;
  }
}

function ofText(text: string): Instant | undefined {
  if (!/^\d{1,20}$/.test(text)) return undefined;
  return instant(Number(text.slice(0, -9)), Number(text.slice(-9)));
}

function ofNumber(value: number): Instant | undefined {
  return instant(Math.floor(value / 1e9), value % 1e9);
}

/** Zero means that the time is missing. */
function instant(seconds: number, nanoseconds: number): Instant | undefined {
  return seconds >= 0 && seconds + nanoseconds > 0 ? { seconds, nanoseconds } : undefined;
}
