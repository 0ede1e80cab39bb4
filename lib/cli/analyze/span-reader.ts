import { SpanKind } from '@opentelemetry/api';
import type { ClassifiableSpan } from '../../spans/classify.js';
import { describeSpan, type SpanDescription } from '../../spans/span-description.js';
import { StatementCache } from '../../spans/statement.js';
import { CONNECTION_POOL, WORKS } from '../../spans/work.js';
import { Clock } from './clock.js';
import { Interner } from './interner.js';
import { attributesOf, idOf, isError, isFields, spanKindOf } from './otlp-values.js';
import type { RecordedSpan } from './recorded-span.js';
import { describeRecorded } from './recorded-work.js';
import type { Service } from './service.js';

/** Database spans that ask for no data, and so need no statement. */
const NO_QUERY = /connect|acquire|transaction|\b(?:begin|commit|rollback|ping|close)\b/i;

/** Where a span says whether its parent is in another process: `SpanFlags` of OTLP. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

/** Makes of a span in OTLP's JSON what detectors need of it. */
export class SpanReader {
  private readonly statements = new StatementCache();
  private readonly interner = new Interner();
  private readonly clock = new Clock();

  /**
   * @param onMissing called for a database span that does not say what it asked
   * @returns nothing where it is no span: without ids or times, or with an end before its start
   */
  read(
    value: unknown,
    service: Service,
    onMissing: (service: Service) => void,
  ): { traceId: string; span: RecordedSpan } | undefined {
    if (!isFields(value)) return undefined;
    const traceId = idOf(value['traceId'], 16);
    const spanId = idOf(value['spanId'], 8);
    const startedAt = this.clock.read(value['startTimeUnixNano']);
    const endedAt = this.clock.read(value['endTimeUnixNano']);
    if (traceId === '' || spanId === '' || startedAt === undefined || endedAt === undefined) return undefined;
    if (endedAt < startedAt) return undefined;
    const name = typeof value['name'] === 'string' ? value['name'] : '';
    const kind = spanKindOf(value['kind']);
    const described: ClassifiableSpan = { name, kind, attributes: attributesOf(value['attributes']) };
    const description = describeSpan(described, this.statements);
    const { type, work } = description;
    const served = kind === SpanKind.SERVER || kind === SpanKind.CONSUMER;
    const todo = work < WORKS ? describeRecorded(description, described.attributes) : undefined;
    if (todo === undefined && type === 'database' && work !== CONNECTION_POOL && !NO_QUERY.test(name))
      onMissing(service);
    const flags = Number(value['flags'] ?? 0);
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
        error: isError(value['status']),
        work,
        key: todo === undefined ? undefined : this.interner.key(todo.key),
        inputs: todo?.inputs,
        route: served ? this.interner.name(this.routeOf(description, described)) : '',
      },
    };
  }

  /** A span's name is as good as a route where no route was recorded: what is told is of this one trace. */
  private routeOf({ type, name }: SpanDescription, span: ClassifiableSpan): string {
    const unrouted = type === 'http' && span.attributes['http.route'] === undefined;
    return (unrouted && span.name !== '' ? span.name : name) || '(unnamed)';
  }
}
