import type { CallSite } from '../code/call-site.js';
import { CAUSES, type RankedCause } from '../explain/cause.js';
import { FINDING_TYPES, type Finding, type FoundError, SEVERITIES } from '../explain/finding.js';
import type { SlowOperation } from '../explain/slow-operation.js';
import type { SlowQuery } from '../explain/slow-queries.js';
import type { HttpEvidence, OperationBaseline } from '../operation/operation.js';
import type { StatementPlan, SuggestedIndex } from '../plans/statement-plan.js';
import type { ResourceEvidence } from '../process/resource-sampler.js';
import type { HotFunction } from '../profiling/hot-functions.js';
import {
  flag,
  list,
  number,
  object,
  oneOf,
  optional,
  type PropertySchemas,
  text,
  whole,
} from './json-schema.js';
import { count, milliseconds, moment, ratio, share } from './quantity-schemas.js';
import type { ReportedFinding, ReportedOperation } from './report.js';

export const operationType = text(
  'http, database, cache, external, messaging, rpc, internal, or a custom type',
);
export const operationName = text('Low-cardinality name: GET /users/:id');

const callSite = object<CallSite>('CallSite', {
  function: text('AlbumsService.withTracks'),
  file: text('Path, relative to the working directory if below it'),
  line: whole('One-based line'),
  column: whole('One-based column'),
});

export const reportedOperation = object<ReportedOperation>('ReportedOperation', {
  type: operationType,
  name: operationName,
  count: count('Number that ended'),
  slowCount: count('Number above the threshold'),
  errorRate: share('Share that failed'),
  p50Ms: optional(milliseconds('Median')),
  p95Ms: optional(milliseconds('95th percentile')),
  p99Ms: optional(milliseconds('99th percentile')),
  totalMsPerHour: optional(milliseconds('Total time, extrapolated to one hour')),
  baseline: optional(
    object<NonNullable<ReportedOperation['baseline']>>('BaselineLatency', {
      p50Ms: milliseconds('Baseline p50'),
      p95Ms: milliseconds('Baseline p95'),
      ratio: optional(ratio('p50Ms divided by the baseline p50')),
    }),
  ),
});

const suggestedIndex = object<SuggestedIndex>('SuggestedIndex', {
  statement: text('The statement that creates it'),
  table: text(),
  columns: list(text(), 'Columns or expressions, in their order'),
  rowsRead: count('Rows that one execution reads'),
  rowsReadWithIndex: optional(count('Rows that it would read by the index')),
});

const statementPlan = object<StatementPlan>('StatementPlan', {
  explanation: text('What the plan shows'),
  suggestedIndex: optional(suggestedIndex),
  explainedAt: moment('When the database explained it'),
});

const rankedCause = object<RankedCause>('Cause', {
  cause: oneOf(CAUSES),
  share: share('Share of the duration'),
  ms: milliseconds('Attributed time'),
  certainty: oneOf(['measured', 'likely']),
  operation: optional(text('The operations behind it: SELECT track')),
  count: optional(count('Number of these operations')),
  remote: optional(
    object<NonNullable<RankedCause['remote']>>('RemoteTiming', {
      totalMs: milliseconds('Time until the called service sent its headers'),
      callMs: milliseconds('Duration of the longest call'),
      cause: text('What most of its time went to: a kind of work, event_loop, or waiting'),
      causeMs: milliseconds('Time that went to it'),
      operation: optional(text('The operation behind it: SELECT track x 50')),
    }),
  ),
});

const hotFunction = object<HotFunction>('HotFunction', {
  function: text(),
  share: share("Share of the operation's samples"),
  file: optional(text()),
  line: optional(whole('Line with the most samples')),
  calledFrom: optional(callSite),
});

const resourceEvidence = object<ResourceEvidence>('ResourceEvidence', {
  heapUsedMb: ratio('MB of 2^20 bytes'),
  heapTotalMb: ratio('MB of 2^20 bytes'),
  rssMb: ratio('MB of 2^20 bytes'),
  cpuUserMs: milliseconds("The process's user CPU time during the operation"),
  cpuSystemMs: milliseconds("The process's system CPU time during the operation"),
  eventLoopUtilization: share('Share of the time in which the event loop was busy'),
  eventLoopDelayMaxMs: milliseconds('Maximum timer delay'),
  gcPauseMs: milliseconds('Total garbage collection pauses'),
  threadCpuMs: optional(milliseconds('CPU time of the main thread during the operation')),
  cpuRunDelayMs: optional(milliseconds('Time in which the main thread was ready to run and had no CPU')),
  cpuThrottledMs: optional(milliseconds('Time in which a CPU limit stopped the container')),
});

const httpEvidence = object<HttpEvidence>('HttpEvidence', {
  statusCode: optional(whole('HTTP status of the response')),
  aborted: optional(flag('The client disconnected before the response was complete')),
  handler: optional(text('UsersController.findOne')),
  beforeHandlerMs: optional(milliseconds('Middleware, body parsing, guards, pipes and interceptors')),
  handlerMs: optional(milliseconds('The handler')),
  afterHandlerMs: optional(milliseconds('Outer interceptors, serialization and writing')),
  uploadMs: optional(milliseconds("Waiting for the client's upload of the body")),
  downloadMs: optional(milliseconds('Waiting for the client to read the response')),
});

export const slowOperation = object<SlowOperation>('SlowOperation', {
  id: text('The span ID'),
  timestamp: moment('End of the operation'),
  type: operationType,
  name: operationName,
  durationMs: milliseconds('Duration'),
  thresholdMs: milliseconds('Threshold'),
  slownessRatio: ratio('durationMs / thresholdMs'),
  selfTimeMs: optional(milliseconds('Time without a running child span')),
  error: flag('Whether it failed'),
  baseline: optional(
    object<OperationBaseline>('OperationBaseline', {
      p50Ms: milliseconds('Baseline p50'),
      p95Ms: milliseconds('Baseline p95'),
      ratio: ratio('durationMs divided by the baseline p50'),
    }),
  ),
  adaptive: optional(flag('The threshold was derived from the baseline', true)),
  traceId: text(),
  spanId: text(),
  parentSpanId: optional(text()),
  root: optional(
    object<NonNullable<SlowOperation['root']>>('Root', { type: operationType, name: operationName }),
  ),
  resources: optional(resourceEvidence),
  profile: optional(text('ID of its CPU profile')),
  heapSnapshot: optional(text('ID of the heap snapshot taken at its end')),
  http: optional(httpEvidence),
  statement: optional(text('Statement without literals')),
  plan: optional(statementPlan),
  cause: oneOf(CAUSES, 'The main cause, as the first of causes'),
  causeShare: share('Share of the main cause'),
  explanation: text(),
  causes: list(rankedCause, 'Sorted by share'),
  callSite: optional(callSite),
  topFunctions: optional(list(hotFunction)),
  nPlusOne: optional(
    object<NonNullable<SlowOperation['nPlusOne']>>('NPlusOne', {
      statement: text(),
      count: count('Repetitions within one request'),
      totalMs: milliseconds('Total time'),
    }),
  ),
});

const findingProperties: PropertySchemas<Finding> = {
  id: text(),
  type: oneOf(FINDING_TYPES),
  severity: oneOf(SEVERITIES),
  fingerprint: text('The repeated statement or call, or the blocking code, without literals'),
  route: operationName,
  count: count('Number of occurrences'),
  repetitions: count('Repetitions in the last occurrence'),
  totalMs: milliseconds('Total time of all occurrences'),
  worstMs: milliseconds('Time of the worst occurrence'),
  firstSeen: moment('First occurrence'),
  lastSeen: moment('Last occurrence'),
  traceId: text('Trace of the last occurrence'),
  spanId: text('Span of the last occurrence'),
  callSite: optional(callSite),
  explanation: text(),
  plan: optional(statementPlan),
  error: optional(
    object<FoundError>('FoundError', {
      class: text('Its class, or HTTP and the status'),
      message: text('First line without values'),
      lastFailedAt: optional(moment('Last failure of the operation with it')),
    }),
  ),
};

export const finding = object<Finding>('Finding', findingProperties);

export const reportedFinding = object<ReportedFinding>('Finding', {
  ...findingProperties,
  lostMsPerHour: milliseconds('totalMs, extrapolated to one hour'),
});

export const slowQuery = object<SlowQuery>('SlowQuery', {
  fingerprint: text('Statement without literals'),
  name: text('SELECT track'),
  operation: text('SELECT'),
  table: optional(text()),
  count: count('Number that ended'),
  slowCount: count('Number above the threshold'),
  errorCount: count('Number that failed'),
  totalMs: milliseconds('Total time'),
  avgMs: milliseconds('Mean'),
  maxMs: milliseconds('Maximum'),
  p50Ms: milliseconds('Median'),
  p95Ms: milliseconds('95th percentile'),
  p99Ms: milliseconds('99th percentile'),
  avgRows: optional(number('Mean number of rows read or written')),
  routes: list(
    object<SlowQuery['routes'][number]>('Route', {
      name: operationName,
      count: count('Number of executions'),
    }),
    'The operations that execute it, sorted by count',
  ),
  callSite: optional(callSite),
  plan: optional(statementPlan),
});
