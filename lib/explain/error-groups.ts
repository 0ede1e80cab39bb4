import type { CallSite, RawFrame } from '../code/call-site.js';
import type { FailedOperation } from '../spans/failed-operation.js';
import { MIN_JUDGED } from '../statistics/failures.js';
import { errorWithoutValues } from '../text/error-text.js';
import { CountedErrors } from './counted-errors.js';
import type { FoundError, Observation, Severity } from './finding.js';
import { classOf, framesOf, isInLines, messageOf, statusClass } from './thrown-error.js';
import { place } from './words.js';

/** The groups that are kept. The one that was seen least recently is dropped first. */
export const MAX_GROUPS = 500;
/** Errors of one place that wait until its line is known. */
const MAX_WAITING = 500;
/** The places that are distinguished within a group. */
const MAX_PLACES = 20;
/** A stack is read for the first errors of a group, then for one a second, and for so many a second of all groups. */
const FIRST_READ = 10;
const MAX_READ_PER_SECOND = 20;
const SECOND_MS = 1000;
/** So many failures within five minutes are a warning. With fewer, it may be a coincidence. */
const REPEATED = 3;
const PERIOD_MS = 300_000;

/** An error of one class from one place of the code, within one route. */
interface Place {
  /** Failures whose observation waits for `known`. */
  waiting: FailedOperation[];
  description: PlaceDescription | undefined;
}

/** The errors of one class within one route. */
interface Group {
  readonly places: Map<string, Place>;
  latest: Place | undefined;
  /** Stacks that were read, and when the latest was, in milliseconds. */
  reads: number;
  readAt: number;
  /** Failures of the current period, and when it began. */
  count: number;
  since: number;
}

interface PlaceDescription {
  readonly message: string;
  readonly callSite: CallSite | undefined;
}

/** Reads the code of the application. */
export interface CodeReader {
  /** Reads the source maps of frames. */
  prepare(frames: readonly RawFrame[]): Promise<void>;
  /** The first line of the user's code. */
  locate(frames: readonly RawFrame[]): { readonly frame: RawFrame; readonly callSite: CallSite } | undefined;
  /** Lines of a file that runs; empty if it cannot be read. */
  lines(url: string): Promise<readonly string[]>;
}

/** Where an error occurred. */
export interface Occurrence {
  /** The operation within which it failed. */
  readonly route: string;
  /** Whether the failed operation is a part of another one, which may have succeeded all the same. */
  readonly isHandled: boolean;
  /** Whether clients wait for the failed operation. */
  readonly isServed: boolean;
  /** See {@link CountedErrors.isNew}. */
  readonly chain: readonly object[];
}

/** Groups the errors of failed operations by route, class and line. Nothing runs while operations succeed. */
export class ErrorGroups {
  private readonly groups = new Map<string, Group>();
  private readonly counted = new CountedErrors();
  /** Errors beyond the limits. Their findings show too few of them, or too low a severity. */
  dropped = 0;
  private second = 0;
  private readsOfSecond = 0;

  /** @param observed receives each failure, once its line is known */
  constructor(
    private readonly code: CodeReader,
    private readonly observed: (observation: Observation, callSite: CallSite | undefined) => void,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** @param now milliseconds on a monotonic clock */
  add(failed: FailedOperation, { route, isHandled, isServed, chain }: Occurrence, now: number): void {
    if (!this.counted.isNew(failed.thrown, chain)) return;
    const errorClass = classOf(failed);
    const group = this.groupOf(`${route}\n${errorClass}`, now);
    const severity = severityOf(++group.count, isHandled, isServed);
    const found = this.placeOf(group, failed, now);
    const observe = (each: FailedOperation, description: PlaceDescription): void => {
      const error = { class: errorClass, message: description.message, isHandled };
      const observation = observeError(each, route, error, description.callSite, severity);
      this.observed(observation, description.callSite);
    };
    if (found.description !== undefined) {
      observe(failed, found.description);
      return;
    }
    if (found.waiting.length >= MAX_WAITING) this.dropped++;
    else found.waiting.push(failed);
    if (found.waiting.length > 1) return;
    const frames = framesOf(failed);
    this.describe(failed, frames)
      .then((description) => {
        found.description = description;
        for (const each of found.waiting.splice(0)) observe(each, description);
      })
      .catch(this.onError);
  }

  clear(): void {
    this.groups.clear();
    this.dropped = 0;
  }

  private groupOf(key: string, now: number): Group {
    let group = this.groups.get(key);
    if (group === undefined) {
      if (this.groups.size >= MAX_GROUPS)
        for (const [oldest, { count }] of this.groups) {
          this.groups.delete(oldest);
          this.dropped += count;
          break;
        }
      group = { places: new Map(), latest: undefined, reads: 0, readAt: 0, count: 0, since: now };
    }
    this.groups.delete(key);
    this.groups.set(key, group);
    if (now - group.since > PERIOD_MS) Object.assign(group, { count: 0, since: now });
    return group;
  }

  /** The place of an error by its stack, or, where no stack is read now, the latest one of its group. */
  private placeOf(group: Group, failed: FailedOperation, now: number): Place {
    if (group.latest !== undefined && !this.mayRead(group, now)) return group.latest;
    group.reads++;
    group.readAt = now;
    const key = framesOf(failed)
      .map(({ url, line, column }) => `${url}:${line}:${column}`)
      .join();
    let found = group.places.get(key);
    if (found === undefined) {
      if (group.latest !== undefined && group.places.size >= MAX_PLACES) return group.latest;
      found = { waiting: [], description: undefined };
      group.places.set(key, found);
    }
    group.latest = found;
    return found;
  }

  private mayRead({ reads, readAt }: Group, now: number): boolean {
    const second = Math.floor(now / SECOND_MS);
    if (second !== this.second) {
      this.second = second;
      this.readsOfSecond = 0;
    }
    if (reads >= FIRST_READ && now - readAt < SECOND_MS) return false;
    return this.readsOfSecond++ < MAX_READ_PER_SECOND;
  }

  private async describe(failed: FailedOperation, frames: readonly RawFrame[]): Promise<PlaceDescription> {
    await this.code.prepare(frames);
    const located = this.code.locate(frames);
    const message = messageOf(failed);
    const isConstant =
      located !== undefined &&
      isInLines(message, await this.code.lines(located.frame.url), located.frame.line);
    return {
      message: isConstant ? message : errorWithoutValues(message),
      callSite: located?.callSite,
    };
  }
}

/** More failures than chance explains are worse, and worst where clients wait for the result. */
function severityOf(count: number, isHandled: boolean, isServed: boolean): Severity {
  if (count < REPEATED || (isHandled && count < MIN_JUDGED)) return 'info';
  return isServed && !isHandled && count >= MIN_JUDGED ? 'critical' : 'warning';
}

function observeError(
  { name, statusCode, durationMs, log, traceId, spanId }: FailedOperation,
  route: string,
  error: NonNullable<Observation['error']>,
  callSite: CallSite | undefined,
  severity: Severity,
): Observation {
  const { class: errorClass } = error;
  const within = name === route ? '' : ` within ${route}`;
  const status =
    statusCode === undefined || errorClass === statusClass(statusCode) ? '' : ` with ${statusCode}`;
  return {
    type: 'errors',
    severity,
    fingerprint: callSite === undefined ? textOf(error) : `${errorClass} ${callSite.file}:${callSite.line}`,
    route,
    repetitions: 1,
    ms: durationMs,
    traceId,
    spanId,
    explanation: `${name}${within} failed${status}: ${errorAt(error, callSite)}`,
    error,
    log,
  };
}

/** `TypeError: album is undefined` */
function textOf({ class: errorClass, message }: Pick<FoundError, 'class' | 'message'>): string {
  return message === '' ? errorClass : `${errorClass}: ${message}`;
}

/** `TypeError: album is undefined at ShopController.list (shop.controller.ts:12).` */
export function errorAt(
  error: Pick<FoundError, 'class' | 'message'>,
  callSite: CallSite | undefined,
): string {
  const text = textOf(error).replace(/\.{1,3}$/, '');
  return `${text}${callSite === undefined ? '' : ` at ${place(callSite)}`}.`;
}
