import { performance } from 'node:perf_hooks';
import {
  type Attributes,
  type AttributeValue,
  diag,
  type Exception,
  type HrTime,
  type Link,
  type Span,
  type SpanContext,
  type SpanKind,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
  TraceFlags,
  type TraceState,
} from '@opentelemetry/api';
import {
  addHrTimes,
  hrTime,
  hrTimeDuration,
  isAttributeValue,
  isTimeInput,
  isTimeInputHrTime,
  millisToHrTime,
} from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan, TimedEvent } from '@opentelemetry/sdk-trace-node';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import { LIVE_SPAN, type LiveSpan } from '../spans/live-span.js';
import { DURATION_MS, ENDED_MS, STARTED_MS } from '../spans/sdk-span.js';
import { DESCRIPTION, type SpanDescription } from '../spans/span-description.js';
import { addLimited, exceptionAttributes, limitedAttributes, MAX_OF_SPAN } from './limited-attributes.js';
import type { DescribedSpanOptions } from './query-span.js';
import { randomSpanId, randomTraceId } from './random-id.js';

/** What the spans of one tracer share. */
export interface SpanOrigin {
  readonly instrumentationScope: ReadableSpan['instrumentationScope'];
  readonly resource: Resource;
  /** Called before the span ends, while it can be changed. */
  onEnding(span: OwnSpan): void;
  onEnd(span: OwnSpan): void;
}

const UNSET: SpanStatus = Object.freeze({ code: SpanStatusCode.UNSET });
const NO_EVENTS: TimedEvent[] = [];
const NO_LINKS: Link[] = [];

/**
 * A span of this package's own tracer provider. It behaves as a span of the SDK with its default limits and is exported as
 * one. It is cheaper because ids, times in seconds, events and links are made when they are first needed: of most spans,
 * nobody reads them.
 */
export class OwnSpan implements Span, ReadableSpan {
  /** Set by the processor: declared, so that all spans have one shape. */
  [LIVE_SPAN]: LiveSpan | undefined = undefined;
  /** What it represents, if its creator knows that. */
  readonly [DESCRIPTION]: SpanDescription | undefined;
  status = UNSET;
  ended = false;
  droppedAttributesCount = 0;
  droppedEventsCount = 0;
  droppedLinksCount = 0;
  /** As in the spans of the SDK: a start time was given. */
  readonly _startTimeProvided: boolean;
  readonly [STARTED_MS] = performance.now();
  [ENDED_MS] = -1;
  [DURATION_MS] = -1;
  private readonly startedEpochMs = Date.now();
  private attributeCount = 0;
  private ownAttributes: Attributes | undefined;
  /** Those of other spans, too: copied when they are first read or set. */
  private readonly shared: Attributes | undefined;
  private knownStart: HrTime | undefined;
  private knownEnd: HrTime | undefined = undefined;
  private ownEvents: TimedEvent[] | undefined = undefined;
  private ownLinks: Link[] | undefined = undefined;
  private ownContext: SpanContext | undefined = undefined;
  /** The outermost span of the trace in this process, which knows the id of the trace. */
  private readonly outermost: OwnSpan;
  private traceId: string | undefined;

  /**
   * @param local the span around it, of this class
   * @param remote the context around it, otherwise
   * @param traceId of a trace that starts with it, if that is known
   */
  constructor(
    private readonly origin: SpanOrigin,
    public name: string,
    public kind: SpanKind,
    private readonly local: OwnSpan | undefined,
    private readonly remote: SpanContext | undefined,
    traceId: string | undefined,
    readonly isSampled: boolean,
    { attributes, isShared, links, startTime, description }: DescribedSpanOptions,
  ) {
    this[DESCRIPTION] = description;
    this.outermost = local?.outermost ?? this;
    this.traceId = remote?.traceId ?? traceId;
    this._startTimeProvided = startTime !== undefined && startTime !== null;
    this.knownStart = this._startTimeProvided ? this.timeOf(startTime) : undefined;
    if (links !== undefined) this.addLinks(links);
    const shares = isShared === true;
    this.shared = shares ? attributes : undefined;
    this.ownAttributes = shares ? undefined : {};
    if (attributes !== undefined && !shares) this.takeAttributes(attributes, this.attributes);
  }

  spanContext(): SpanContext {
    this.ownContext ??= this.createContext();
    return this.ownContext;
  }

  get parentSpanContext(): SpanContext | undefined {
    return this.local?.spanContext() ?? this.remote;
  }

  get instrumentationScope(): ReadableSpan['instrumentationScope'] {
    return this.origin.instrumentationScope;
  }

  get resource(): Resource {
    return this.origin.resource;
  }

  get events(): TimedEvent[] {
    return this.ownEvents ?? NO_EVENTS;
  }

  get links(): Link[] {
    return this.ownLinks ?? NO_LINKS;
  }

  get attributes(): Attributes {
    return this.ownAttributes ?? this.makeAttributes();
  }

  set attributes(attributes: Attributes) {
    this.ownAttributes = attributes;
  }

  get startTime(): HrTime {
    this.knownStart ??= millisToHrTime(this.startedEpochMs);
    return this.knownStart;
  }

  get endTime(): HrTime {
    if (this[DURATION_MS] < 0) return [0, 0];
    this.knownEnd ??= addHrTimes(this.startTime, this.duration);
    return this.knownEnd;
  }

  get duration(): HrTime {
    return this[DURATION_MS] < 0 ? [-1, -1] : millisToHrTime(this[DURATION_MS]);
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (value === undefined || value === null || this.isOver()) return this;
    if (key === '' || !(typeof value === 'string' || isAttributeValue(value))) {
      diag.warn(`Invalid attribute: ${key}`);
      return this;
    }
    const attributes = this.ownAttributes ?? this.makeAttributes();
    if (!Object.hasOwn(attributes, key)) {
      if (this.attributeCount >= MAX_OF_SPAN) {
        this.droppedAttributesCount++;
        return this;
      }
      this.attributeCount++;
    }
    attributes[key] = Array.isArray(value) ? (value.slice() as AttributeValue) : value;
    return this;
  }

  setAttributes(attributes: Attributes): this {
    for (const key of Object.keys(attributes)) this.setAttribute(key, attributes[key] as AttributeValue);
    return this;
  }

  /**
   * Takes over the first attributes of a span, which costs less than setting them.
   * @param attributes valid ones, in an object that nothing else holds
   */
  takeFirst(attributes: Attributes, count: number): void {
    this.ownAttributes = attributes;
    this.attributeCount = count;
  }

  addEvent(name: string, given?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.isOver()) return this;
    const isTime = isTimeInput(given);
    this.ownEvents ??= [];
    this.droppedEventsCount += addLimited(this.ownEvents, {
      name,
      ...limitedAttributes(isTime ? undefined : (given as Attributes | undefined)),
      time: this.timeOf(isTime && !isTimeInput(time) ? given : time),
    });
    return this;
  }

  addLink({ context, attributes: given }: Link): this {
    if (this.isOver()) return this;
    const { attributes, droppedAttributesCount } = limitedAttributes(given);
    this.ownLinks ??= [];
    this.droppedLinksCount += addLimited(this.ownLinks, {
      context,
      ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
      ...(droppedAttributesCount > 0 ? { droppedAttributesCount } : {}),
    });
    return this;
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link);
    return this;
  }

  /** An error may be replaced, success may not. */
  setStatus({ code, message }: SpanStatus): this {
    if (code === SpanStatusCode.UNSET || this.status.code === SpanStatusCode.OK || this.isOver()) return this;
    const isError = code === SpanStatusCode.ERROR && typeof message === 'string';
    this.status = isError ? { code, message } : { code };
    return this;
  }

  updateName(name: string): this {
    if (!this.isOver()) this.name = name;
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const attributes = exceptionAttributes(exception);
    if (attributes === undefined) diag.warn('An exception without a type and a message is not recorded.');
    else this.addEvent('exception', attributes, time);
  }

  isRecording(): boolean {
    return !this.ended;
  }

  end(endTime?: TimeInput): void {
    if (this.isOver()) return;
    const measured = meter.enter(COST.spanEnd);
    try {
      this.endOnce(endTime);
    } finally {
      meter.leave(COST.spanEnd, measured);
    }
  }

  private endOnce(endTime: TimeInput | undefined): void {
    const now = performance.now();
    this[ENDED_MS] = now;
    if (endTime === undefined && !this._startTimeProvided) this[DURATION_MS] = now - this[STARTED_MS];
    else this.endAt(this.timeOf(endTime));
    this.origin.onEnding(this);
    this.ended = true;
    this.origin.onEnd(this);
  }

  private makeAttributes(): Attributes {
    const attributes = { ...this.shared };
    this.attributeCount = Object.keys(attributes).length;
    this.ownAttributes = attributes;
    return attributes;
  }

  /** Those of a new span, which nearly always are texts and numbers. */
  private takeAttributes(given: Attributes, attributes: Attributes): void {
    for (const key of Object.keys(given)) {
      const value = given[key];
      const isPlain = typeof value === 'string' || typeof value === 'number';
      if (isPlain && key !== '' && this.attributeCount < MAX_OF_SPAN) {
        attributes[key] = value;
        this.attributeCount++;
      } else this.setAttribute(key, value as AttributeValue);
    }
  }

  private endAt(end: HrTime): void {
    const [seconds, nanoseconds] = hrTimeDuration(this.startTime, end);
    const isBefore = seconds < 0;
    if (isBefore) diag.warn(`The span ${this.name} ends before it starts. Its duration is set to 0.`);
    this[DURATION_MS] = isBefore ? 0 : seconds * 1000 + nanoseconds / 1e6;
    this.knownEnd = isBefore ? this.startTime : end;
  }

  private createContext(): SpanContext {
    const { remote } = this;
    const traceState = (this.outermost.remote ?? remote)?.traceState as TraceState | undefined;
    return {
      traceId: this.outermost.knownTraceId(),
      spanId: randomSpanId(),
      traceFlags: this.isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
      ...(traceState === undefined ? {} : { traceState }),
    };
  }

  private knownTraceId(): string {
    this.traceId ??= randomTraceId();
    return this.traceId;
  }

  /** A number is a time of `performance.now()` if that is possible, and otherwise milliseconds since 1970. */
  private timeOf(given: TimeInput | undefined): HrTime {
    if (typeof given === 'number') {
      if (given > performance.now()) return millisToHrTime(given);
      const skewMs = this.startedEpochMs - (this[STARTED_MS] + performance.timeOrigin);
      return hrTime(given + skewMs);
    }
    if (given instanceof Date) return millisToHrTime(given.getTime());
    if (isTimeInputHrTime(given)) return given;
    if (this._startTimeProvided) return millisToHrTime(Date.now());
    return addHrTimes(this.startTime, millisToHrTime(performance.now() - this[STARTED_MS]));
  }

  private isOver(): boolean {
    if (this.ended) diag.warn(`The span ${this.name} has ended: what is set later has no effect.`);
    return this.ended;
  }
}
