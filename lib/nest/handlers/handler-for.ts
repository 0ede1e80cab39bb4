import { type Attributes, SpanKind } from '@opentelemetry/api';
import { boundedName } from '../../operation/operation.js';
import { slowThresholdOf } from '../decorators/slow-threshold.decorator.js';
import { TrackedOperation } from '../decorators/tracked-operation.js';
import type { Handled, HandlerKind } from './handler-metadata.js';
import { HttpHandler } from './http-handler.js';
import { httpHandlerInfo } from './http-handler-info.js';
import { patternText } from './message-pattern.js';
import type { Handler } from './method-wrappers.js';
import { type HandlerSpan, OperationHandler } from './operation-handler.js';
import { QueueHandler } from './queue-handler.js';
import { ScheduleHandler } from './schedule-handler.js';
import { type CronJobs, scheduleTimes } from './schedule-times.js';

const SPAN_KINDS: Readonly<Record<Exclude<HandlerKind, 'http' | 'graphql'>, SpanKind>> = {
  rpc: SpanKind.SERVER,
  messaging: SpanKind.CONSUMER,
  websocket: SpanKind.CONSUMER,
  queue: SpanKind.CONSUMER,
  schedule: SpanKind.INTERNAL,
  event: SpanKind.INTERNAL,
  command: SpanKind.INTERNAL,
};

/**
 * Measures a method of a class by what it handles.
 * @param jobs the cron jobs of the application, see {@link scheduleTimes}
 */
export function handlerFor(
  type: { readonly name: string },
  name: string,
  method: object,
  handled: readonly Handled[],
  jobs: () => CronJobs | undefined,
): Handler | undefined {
  const other = handled.find(({ kind }) => kind !== 'http' && kind !== 'graphql');
  const otherwise = other && operationHandler(type, name, method, other, jobs);
  const ofRequest = handled.find(({ kind }) => kind === 'http' || kind === 'graphql');
  return ofRequest === undefined
    ? otherwise
    : new HttpHandler(httpHandlerInfo(type, method), otherwise, ofRequest.resolver);
}

function operationHandler(
  type: { readonly name: string },
  name: string,
  method: object,
  { kind, pattern: patterns }: Handled,
  jobs: () => CronJobs | undefined,
): Handler | undefined {
  if (kind === 'http' || kind === 'graphql') return undefined;
  const functionName = `${type.name}.${name}`;
  const thresholdMs = slowThresholdOf(method, type);
  const isNested = kind === 'event' || kind === 'command';
  const create = (title: string, attributes: Attributes): OperationHandler => {
    const span: HandlerSpan = {
      kind: SPAN_KINDS[kind],
      attributes: { ...attributes, 'code.function.name': functionName },
      isNested,
    };
    return new OperationHandler(TrackedOperation.ofHandler(kind, title, thresholdMs), span);
  };
  if (kind === 'queue') {
    return new QueueHandler((job) =>
      job === undefined
        ? create(functionName, {})
        : create(`${functionName} ${job}`, { 'performance.queue.job': job }),
    );
  }
  const pattern = patternText(patterns);
  if (kind === 'rpc') return create(pattern, { 'rpc.method': pattern });
  if (kind === 'messaging') {
    return create(`process ${pattern}`, {
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': pattern,
    });
  }
  const handler = create(functionName, {});
  const times = kind === 'schedule' ? scheduleTimes(method, jobs) : undefined;
  return times === undefined ? handler : new ScheduleHandler(boundedName(functionName), handler, times);
}
