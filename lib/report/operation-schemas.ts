import type { CallSite } from '../code/call-site.js';
import { CAUSES, type RankedCause } from '../explain/cause.js';
import { FINDING_TYPES, SEVERITIES } from '../explain/finding.js';
import type { SlowOperation } from '../explain/slow-operation.js';
import type { SlowQuery } from '../explain/slow-queries.js';
import type { HttpEvidence, OperationBaseline } from '../operation/operation.js';
import type { ResourceEvidence } from '../process/resource-sampler.js';
import type { HotFunction } from '../profiling/hot-functions.js';
import { flag, list, number, object, oneOf, optional, text, whole } from './json-schema.js';
import { count, milliseconds, moment, ratio, share } from './quantity-schemas.js';
import type { ReportedFinding, ReportedOperation } from './report.js';

export const operationType = text('http, database, cache, external, messaging, rpc, internal, or your own');
export const operationName = text('Of low cardinality: GET /users/:id');

const callSite = object<CallSite>('CallSite', {
  function: text('AlbumsService.withTracks'),
  file: text('From the working directory on where it lies below'),
  line: whole('Counted from 1'),
  column: whole('Counted from 1'),
});

export const reportedOperation = object<ReportedOperation>('ReportedOperation', {
  type: operationType,
  name: operationName,
  count: count('Those that ended'),
  slowCount: count('Those that took longer than their threshold'),
  errorRate: share('Those that failed'),
  p50Ms: optional(milliseconds('The median')),
  p95Ms: optional(milliseconds('The 95th percentile')),
  p99Ms: optional(milliseconds('The 99th percentile')),
  totalMsPerHour: optional(milliseconds('All of the time spent in it, as much as an hour would see')),
  baseline: optional(
    object<NonNullable<ReportedOperation['baseline']>>('UsualLatency', {
      p50Ms: milliseconds('The median that was usual before'),
      p95Ms: milliseconds('The 95th percentile that was usual before'),
      ratio: optional(ratio('The median over that of before')),
    }),
  ),
});

const rankedCause = object<RankedCause>('Cause', {
  cause: oneOf(CAUSES),
  share: share('Of the duration'),
  ms: milliseconds('What it took'),
  certainty: oneOf(['measured', 'likely']),
  operation: optional(text('What it was: SELECT track')),
  count: optional(count('How many of them')),
});

const hotFunction = object<HotFunction>('HotFunction', {
  function: text(),
  share: share("Of the operation's samples"),
  file: optional(text()),
  line: optional(whole('The line with the most samples')),
  calledFrom: optional(callSite),
});

const resourceEvidence = object<ResourceEvidence>('ResourceEvidence', {
  heapUsedMb: ratio('In MB of 2^20 bytes'),
  heapTotalMb: ratio('In MB of 2^20 bytes'),
  rssMb: ratio('In MB of 2^20 bytes'),
  cpuUserMs: milliseconds("The process's CPU time meanwhile"),
  cpuSystemMs: milliseconds("The process's CPU time in the system meanwhile"),
  eventLoopUtilization: share('The part of it in which the event loop was busy'),
  eventLoopDelayMaxMs: milliseconds('The longest delay of a timer'),
  gcPauseMs: milliseconds('Pauses of the garbage collector'),
});

const httpEvidence = object<HttpEvidence>('HttpEvidence', {
  statusCode: optional(whole('Of the response')),
  aborted: optional(flag('The client went away before the response was complete')),
  handler: optional(text('UsersController.findOne')),
  beforeHandlerMs: optional(milliseconds('Middleware, body parsing and guards')),
  handlerMs: optional(milliseconds('Pipes, inner interceptors and the handler')),
  afterHandlerMs: optional(milliseconds('Outer interceptors, serialization and writing')),
});

export const slowOperation = object<SlowOperation>('SlowOperation', {
  id: text("The span's id"),
  timestamp: moment('When it ended'),
  type: operationType,
  name: operationName,
  durationMs: milliseconds('How long it took'),
  thresholdMs: milliseconds('Above which it is slow'),
  slownessRatio: ratio('durationMs / thresholdMs'),
  selfTimeMs: optional(milliseconds('The time in which no child ran')),
  error: flag('It failed'),
  baseline: optional(
    object<OperationBaseline>('OperationBaseline', {
      p50Ms: milliseconds('The median that is usual'),
      p95Ms: milliseconds('The 95th percentile that is usual'),
      ratio: ratio('durationMs over the median'),
    }),
  ),
  adaptive: optional(flag('It is slow by what it usually takes, and not by its threshold', true)),
  traceId: text(),
  spanId: text(),
  parentSpanId: optional(text()),
  root: optional(
    object<NonNullable<SlowOperation['root']>>('Root', { type: operationType, name: operationName }),
  ),
  resources: optional(resourceEvidence),
  profile: optional(text('The id of the CPU profile of its time')),
  heapSnapshot: optional(text('The id of the heap snapshot that was taken when it ended')),
  http: optional(httpEvidence),
  statement: optional(text('Without its literals')),
  cause: oneOf(CAUSES, 'The first of causes'),
  causeShare: share('Its part of the duration'),
  explanation: text(),
  causes: list(rankedCause, 'The greatest share first'),
  callSite: optional(callSite),
  topFunctions: optional(list(hotFunction)),
  nPlusOne: optional(
    object<NonNullable<SlowOperation['nPlusOne']>>('NPlusOne', {
      statement: text(),
      count: count('How often within one request'),
      totalMs: milliseconds('What all of them took'),
    }),
  ),
});

export const reportedFinding = object<ReportedFinding>('Finding', {
  id: text(),
  type: oneOf(FINDING_TYPES),
  severity: oneOf(SEVERITIES),
  fingerprint: text('What was repeated, or what blocked: without literals'),
  route: operationName,
  count: count('How often it was seen'),
  repetitions: count('The last time'),
  totalMs: milliseconds('What it took over all times'),
  worstMs: milliseconds('What it took the worst time'),
  firstSeen: moment('When it was seen first'),
  lastSeen: moment('When it was seen last'),
  traceId: text('Where it was seen last'),
  spanId: text('Where it was seen last'),
  callSite: optional(callSite),
  explanation: text(),
  lostMsPerHour: milliseconds('What it takes, as much as an hour would see'),
});

export const slowQuery = object<SlowQuery>('SlowQuery', {
  fingerprint: text('The statement without its literals'),
  name: text('SELECT track'),
  operation: text('SELECT'),
  table: optional(text()),
  count: count('Those that ended'),
  slowCount: count('Those that took longer than their threshold'),
  errorCount: count('Those that failed'),
  totalMs: milliseconds('All of them together'),
  avgMs: milliseconds('The mean'),
  maxMs: milliseconds('The longest'),
  p50Ms: milliseconds('The median'),
  p95Ms: milliseconds('The 95th percentile'),
  p99Ms: milliseconds('The 99th percentile'),
  avgRows: optional(number('Rows read or written on average')),
  routes: list(
    object<SlowQuery['routes'][number]>('Route', { name: operationName, count: count('How often') }),
    'The operations that ask it, the most often first',
  ),
  callSite: optional(callSite),
});
