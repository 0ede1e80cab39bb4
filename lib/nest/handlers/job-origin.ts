import { types } from 'node:util';
import { context, type Link, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { attempt } from '../../async/thrown.js';
import { type Headers, traceHeaders } from '../messages/trace-headers.js';
import type { Handler } from './method-wrappers.js';

/** A longer text is not ours. */
const MAX_TEXT = 2_000;
/** Methods that the queues of BullMQ and Bull have, and hardly anything else. */
const OF_QUEUE = ['add', 'addBulk', 'getJobCounts', 'obliterate'];

/** Options of a job, as far as they are read here. */
interface JobOptions {
  readonly repeat?: unknown;
  /** BullMQ keeps it for traces. Bull keeps any option. */
  readonly telemetry?: { readonly metadata?: unknown; readonly omitContext?: unknown };
}

/** The methods by which jobs are added to a queue, with what keeps the trace of the caller in them. */
export function jobAdders(prototype: object): [name: string, handler: Handler][] {
  const isQueue = OF_QUEUE.every((name) => name in prototype);
  return isQueue
    ? [
        ['add', addedJobs],
        ['addBulk', addedInBulk],
      ]
    : [];
}

const addedJobs: Handler = {
  call(method, self, args) {
    // Bull takes jobs without a name.
    const index = typeof args[0] === 'string' ? 2 : 1;
    const options = withOrigin(self, args[index]);
    const given = [...args];
    if (options !== undefined) given[index] = options;
    return Reflect.apply(method, self, given);
  },
};

const addedInBulk: Handler = {
  call(method, self, args) {
    const [jobs, ...others] = args;
    const given = attempt('the trace of a job was not kept', () =>
      Array.isArray(jobs) ? jobs.map((job: unknown) => withOriginInBulk(self, job)) : jobs,
    );
    return Reflect.apply(method, self, [given ?? jobs, ...others]);
  },
};

function withOriginInBulk(queue: unknown, job: unknown): unknown {
  if (!isPlain(job)) return job;
  const opts = withOrigin(queue, (job as { opts?: unknown }).opts);
  return opts === undefined ? job : { ...job, opts };
}

/** A copy of the options with the active trace; undefined if there is none, or the application keeps its own. */
function withOrigin(queue: unknown, options: unknown): object | undefined {
  return attempt('the trace of a job was not kept', () => {
    if (trace.getSpan(context.active()) === undefined) return undefined;
    if (options !== undefined && !isPlain(options)) return undefined;
    const { repeat, telemetry } = (options ?? {}) as JobOptions;
    // The runs of a repeated job have no caller.
    if (repeat !== undefined || telemetry !== undefined || hasTelemetry(queue)) return undefined;
    const { baggage: _baggage, ...headers }: Headers = traceHeaders(() => false);
    if (Object.keys(headers).length === 0) return undefined;
    return { ...options, telemetry: { metadata: JSON.stringify(headers) } };
  });
}

/** A copy of anything else could miss what it inherits. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function hasTelemetry(queue: unknown): boolean {
  return (queue as { opts?: { telemetry?: unknown } } | undefined)?.opts?.telemetry !== undefined;
}

/**
 * A link to the span that added a job; undefined if that is not known.
 * @param options of the job
 */
export function originOf(options: unknown): Link | undefined {
  const metadata = (options as JobOptions | null | undefined)?.telemetry?.metadata;
  if (typeof metadata !== 'string' || metadata.length > MAX_TEXT) return undefined;
  return attempt('the trace of a job was not read', () => {
    const headers: unknown = JSON.parse(metadata);
    if (typeof headers !== 'object' || headers === null) return undefined;
    const span = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, headers));
    return span === undefined ? undefined : { context: span };
  });
}
