import { type ChangedPart, REGRESSION_METRICS, type Regression } from '../baseline/regression.js';
import type { Trend } from '../baseline/trend.js';
import { LEAKING_MEMORIES, type Leak } from '../leaks/leak.js';
import { PARTS } from '../statistics/operation-window.js';
import { either, list, number, object, oneOf, optional, text } from './json-schema.js';
import { operationName, operationType } from './operation-schemas.js';
import { bytes, count, interval, milliseconds, moment, share } from './quantity-schemas.js';

const explanation = text('Readable sentences');
const unit = 'In milliseconds (latency: the p50; tail_latency: the p99), a share from 0 to 1, or statements';
const change = number(
  'Relative change from before to now (0.2: 20 % more); for error_rate the difference of the shares',
);

export const regression = object<Regression>('Regression', {
  id: text(),
  type: operationType,
  name: operationName,
  metric: oneOf(REGRESSION_METRICS),
  against: oneOf(['baseline', 'version'], 'The reference: the baseline, or the previous version'),
  version: optional(text()),
  previousVersion: optional(text()),
  state: oneOf(['open', 'over']),
  since: moment('Estimated start'),
  detectedAt: moment('Time of detection'),
  overAt: optional(moment('End')),
  before: number(unit),
  now: number(unit),
  change,
  interval: interval('change'),
  pValue: share('Probability of a change of this size by chance'),
  count: count('Number of operations that now is based on'),
  parts: list(
    object<ChangedPart>('ChangedPart', {
      part: oneOf(PARTS),
      beforeMs: milliseconds('Time per operation before'),
      nowMs: milliseconds('Time per operation now'),
    }),
    'The parts of its time that grew, sorted by growth',
  ),
  alongside: optional(
    list(
      object<NonNullable<Regression['alongside']>[number]>('Alongside', {
        type: operationType,
        name: operationName,
        metric: oneOf(REGRESSION_METRICS),
        change,
        since: moment('Start'),
      }),
      'Regressions that began at the same time, as possible causes',
    ),
  ),
  explanation,
});

type Subject<K extends Trend['subject']['kind']> = Extract<Trend['subject'], { kind: K }>;

export const trend = object<Trend>('Trend', {
  subject: either(
    object<Subject<'operation'>>('OperationSubject', {
      kind: oneOf(['operation']),
      type: operationType,
      name: operationName,
    }),
    object<Subject<'resource'>>('ResourceSubject', {
      kind: oneOf(['resource']),
      name: oneOf(['heap_used', 'rss', 'event_loop_delay', 'cpu']),
    }),
  ),
  unit: oneOf(['ms', 'bytes', 'ratio']),
  from: moment('Start of the fitted period'),
  to: moment('End of the fitted period'),
  first: number('Fitted value at the start, in unit'),
  last: number('Fitted value at the end, in unit'),
  slopePerHour: number('Slope in unit per hour'),
  interval: interval('slopePerHour'),
  pValue: share('Probability of a trend of this size by chance'),
  forecast: optional(
    object<NonNullable<Trend['forecast']>>('Forecast', {
      limit: number('Threshold or limit, in unit'),
      reachedAt: moment('Time at which the limit is reached if the trend continues'),
    }),
  ),
  explanation,
});

export const leak = object<Leak>('Leak', {
  memory: oneOf(LEAKING_MEMORIES),
  state: oneOf(['suspect', 'confirmed']),
  since: moment('Start'),
  bytesPerHour: number('Growth in bytes per hour'),
  usedBytes: bytes('Memory in use after a collection'),
  limitBytes: optional(bytes('Limit of the memory')),
  timeToLimitMs: optional(milliseconds('Time until the limit is reached at this rate')),
  confidence: share('Confidence that it is a leak'),
  suspects: list(
    object<Leak['suspects'][number]>('Suspect', {
      type: operationType,
      name: operationName,
      bytesPerOperation: number('Bytes retained per operation'),
    }),
    'Sorted by likelihood',
  ),
  explanation,
});
