import { types } from 'node:util';
import { trace } from '@opentelemetry/api';
import { attempt } from '../../async/thrown.js';
import { nameWithoutValues } from '../../spans/span-name.js';
import { type Measured, type Measurement, trackCall } from '../decorators/track.js';
import { originOf } from './job-origin.js';
import { type Handler, type Method } from './method-wrappers.js';

/** The most names of jobs that are distinguished in one processor. Applications may create them from values. */
const MAX_JOB_NAMES = 100;
/** The name of jobs without one, in Bull. */
const UNNAMED = '__default__';

/** What BullMQ and Bull give to a processor. */
interface Job {
  readonly name?: unknown;
  readonly attemptsMade?: unknown;
  readonly timestamp?: unknown;
  readonly processedOn?: unknown;
  readonly delay?: unknown;
  readonly opts?: unknown;
}

/** Measures the jobs of a processor, by their names. */
export class QueueHandler implements Handler {
  private readonly byName = new Map<string, Measured>();

  /** @param create measures jobs of one name; without a name, all others */
  constructor(private readonly create: (jobName: string | undefined) => Measured) {}

  call(method: Method, self: unknown, args: unknown[]): unknown {
    const job = jobOf(args[0]);
    const measured = this.of(job?.name);
    return trackCall(
      {
        key: measured.key,
        start: (parent, instance) => withJob(measured.start(parent, instance), job),
      },
      method,
      self,
      args,
    );
  }

  private of(jobName: unknown): Measured {
    const isNamed = typeof jobName === 'string' && jobName !== '' && jobName !== UNNAMED;
    const name = isNamed ? nameWithoutValues(jobName) : '';
    const known = this.byName.get(name);
    if (known !== undefined) return known;
    const isKept = this.byName.size < MAX_JOB_NAMES;
    const key = isKept ? name : '';
    const measured = this.byName.get(key) ?? this.create(key === '' ? undefined : key);
    this.byName.set(key, measured);
    return measured;
  }
}

function jobOf(value: unknown): Job | undefined {
  return typeof value === 'object' && value !== null && !types.isProxy(value) ? value : undefined;
}

/**
 * Adds what the queue knows of a job to its span: the attempt, how long the job waited after its delay, and a link to what
 * added it.
 */
function withJob(running: Measurement | undefined, job: Job | undefined): Measurement | undefined {
  const span = running === undefined ? undefined : trace.getSpan(running.context);
  if (span === undefined || job === undefined) return running;
  const { attemptsMade, timestamp, processedOn, delay, opts } = job;
  if (typeof attemptsMade === 'number') span.setAttribute('performance.queue.attempt', attemptsMade + 1);
  if (typeof timestamp === 'number' && typeof processedOn === 'number') {
    const waitedMs = processedOn - timestamp - (typeof delay === 'number' ? delay : 0);
    span.setAttribute('performance.queue.wait_ms', Math.max(0, waitedMs));
  }
  const origin = originOf(opts);
  if (origin !== undefined) attempt('the trace of a job was not linked', () => span.addLink(origin));
  return running;
}
