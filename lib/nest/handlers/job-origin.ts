import { types } from 'node:util';
import { context, type Link, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { attempt } from '../../async/thrown.js';
import { type Headers, traceHeaders } from '../messages/trace-headers.js';
import type { Handler } from './method-wrappers.js';

/** The longest metadata that are read, in characters. */
const MAX_TEXT = 2_000;
/** Methods that the class of a queue has itself, in BullMQ and Bull. */
const OF_QUEUE = ['add', 'addBulk', 'obliterate'];
const MAX_DEPTH = 8;
/** A key by which metadata of this package are known. Propagators ignore it. */
const MARK = 'nestjs-performance';

/** Options of a job, as far as they are read here. */
interface JobOptions {
  readonly repeat?: unknown;
  /** BullMQ keeps it for traces. Bull keeps any option. */
  readonly telemetry?: { readonly metadata?: unknown };
}

interface Queue {
  readonly opts?: { readonly telemetry?: unknown };
  readonly defaultJobOptions?: JobOptions | null;
}

/** The queues of applications that want it. */
const watched = new WeakSet<object>();

/**
 * Keeps the origin of the jobs that are added to a queue, once {@link addedJob} and {@link addedJobs} measure its methods.
 * @returns the prototype that has these methods; undefined for what is no queue
 */
export function watchQueue(instance: unknown): object | undefined {
  if (typeof instance !== 'object' || instance === null) return undefined;
  let owner: object | null = instance;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    if (types.isProxy(owner)) return undefined;
    owner = Object.getPrototypeOf(owner) as object | null;
    if (owner === null) return undefined;
    const prototype = owner;
    if (!OF_QUEUE.every((name) => Object.hasOwn(prototype, name))) continue;
    watched.add(instance);
    return prototype;
  }
  return undefined;
}

/** Measures `add(name, data, options)`. Jobs of Bull without a name have no origin. */
export const addedJob: Handler = {
  call(method, self, args) {
    const [name, data, options, ...others] = args;
    const metadata = typeof name === 'string' ? metadataFor(self) : undefined;
    const given = metadata === undefined ? undefined : withOrigin(options, metadata);
    return Reflect.apply(method, self, given === undefined ? args : [name, data, given, ...others]);
  },
};

/** Measures `addBulk(jobs)`. */
export const addedJobs: Handler = {
  call(method, self, args) {
    const [jobs, ...others] = args;
    const metadata = metadataFor(self);
    if (metadata === undefined || !Array.isArray(jobs)) return Reflect.apply(method, self, args);
    const given = jobs.map((job: unknown) => {
      const opts = isPlain(job) ? withOrigin((job as { opts?: unknown }).opts, metadata) : undefined;
      return opts === undefined ? job : { ...(job as object), opts };
    });
    return Reflect.apply(method, self, [given, ...others]);
  },
};

/** The active trace as BullMQ's own telemetry writes it; undefined if there is none, or jobs of the queue keep none. */
function metadataFor(queue: unknown): string | undefined {
  return attempt('the trace of a job was not kept', () => {
    if (!watched.has(queue as object) || trace.getSpan(context.active()) === undefined) return undefined;
    const { opts, defaultJobOptions } = queue as Queue;
    const { repeat, telemetry } = defaultJobOptions ?? {};
    if (opts?.telemetry !== undefined || repeat !== undefined || telemetry !== undefined) return undefined;
    const { baggage: _baggage, ...headers }: Headers = traceHeaders(() => false);
    return Object.keys(headers).length === 0 ? undefined : JSON.stringify({ ...headers, [MARK]: '1' });
  });
}

/** A copy of the options of a job with its origin; undefined where they stay as they are. */
function withOrigin(options: unknown, metadata: string): object | undefined {
  return attempt('the trace of a job was not kept', () => {
    if (options !== undefined && !isPlain(options)) return undefined;
    const { repeat, telemetry } = (options ?? {}) as JobOptions;
    // The runs of a repeated job have no caller. The options of a job may be those of the one that adds it.
    if (repeat !== undefined || (telemetry !== undefined && !isOwn(telemetry.metadata))) return undefined;
    return { ...options, telemetry: { metadata } };
  });
}

function isOwn(metadata: unknown): boolean {
  return typeof metadata === 'string' && metadata.includes(`"${MARK}"`);
}

/** A copy of anything else could miss what it inherits. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * A link to the span that added a job; undefined if that is not known.
 * @param options of the job
 */
export function originOf(options: unknown): Link | undefined {
  return attempt('the trace of a job was not read', () => {
    const metadata = (options as JobOptions | null | undefined)?.telemetry?.metadata;
    if (typeof metadata !== 'string' || metadata.length > MAX_TEXT || !metadata.startsWith('{'))
      return undefined;
    const headers: unknown = JSON.parse(metadata);
    const span = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, headers));
    return span === undefined ? undefined : { context: span };
  });
}
