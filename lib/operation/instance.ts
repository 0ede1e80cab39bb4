import cluster from 'node:cluster';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { Environment } from '../validation/option-table.js';
import { own } from '../validation/own.js';

/** One process of a service, or one of several applications that run in a process. */
export interface Instance {
  /**
   * `service.instance.id`: that of `OTEL_RESOURCE_ATTRIBUTES`, followed by the worker if there is one, or one of the
   * machine, the process and a random number. If another application of the service already runs in the process, `.2`
   * follows. Final once the application starts.
   */
  readonly id: string;
  /** Unique, whatever the environment says: safe as part of the name of a file or a key. Final once the application starts. */
  readonly key: string;
  /** `host.name` */
  readonly host: string;
  readonly pid: number;
  /** The number of the worker that PM2 or `node:cluster` gave this process; absent if it is no worker. */
  readonly worker?: string;
  /** When the process started, in milliseconds since 1970. */
  readonly startedAt: number;
}

const INSTANCE_KEY = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** A name of the environment may be anything. */
const MAX_WORKER_LENGTH = 32;

/** Whether a value is a valid key of an instance, which is safe as part of a file name. */
export function isInstanceKey(value: unknown): value is string {
  return typeof value === 'string' && INSTANCE_KEY.test(value);
}

/** A new key for this run of this process: `host-pid-random`. */
export function newInstanceKey(): string {
  return `${keyOfHost()}-${process.pid}-${randomBytes(6).toString('hex')}`;
}

/** The machine's name as part of a key. */
export function keyOfHost(): string {
  const host = hostname()
    .replace(/[^A-Za-z0-9.-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
  return host === '' ? 'host' : host;
}

/** One for the process: a resource of OpenTelemetry is a process, however many applications run in it. */
const PROCESS_KEY = newInstanceKey();

/**
 * This process as an instance of a service.
 * @param host `host.name`
 * @param attributes of the resource, which may name the instance. Workers inherit the environment, so that they would all
 * have its name
 */
export function thisInstance(
  host: string,
  env: Environment = {},
  attributes: Readonly<Record<string, string>> = {},
): Instance {
  const worker = workerOf(env);
  const given = own(attributes, 'service.instance.id');
  const id = given === undefined ? PROCESS_KEY : worker === undefined ? given : `${given}-${worker}`;
  return {
    id,
    key: PROCESS_KEY,
    host,
    pid: process.pid,
    ...(worker === undefined ? {} : { worker }),
    startedAt: Math.round(performance.timeOrigin),
  };
}

/** PM2 numbers its workers from 0, also those without `node:cluster`. */
function workerOf(env: Environment): string | undefined {
  const number = own(env, 'NODE_APP_INSTANCE')?.trim();
  if (number !== undefined && number !== '') return number.slice(0, MAX_WORKER_LENGTH);
  return cluster.worker === undefined ? undefined : String(cluster.worker.id);
}
