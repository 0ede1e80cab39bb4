import { type ChangedPart, REGRESSION_METRICS, type Regression } from '../baseline/regression.js';
import type { Trend } from '../baseline/trend.js';
import { LEAKING_MEMORIES, type Leak } from '../leaks/leak.js';
import { PARTS } from '../statistics/operation-window.js';
import { either, list, number, object, oneOf, optional, text } from './json-schema.js';
import { operationName, operationType } from './operation-schemas.js';
import { bytes, count, interval, milliseconds, moment, share } from './quantity-schemas.js';

const explanation = text('Some sentences for a person');
const unit = 'In milliseconds (latency: the median; tail_latency: the p99), a share of 0 to 1, or statements';
const change = number(
  'now as a share more than before (0.2: a fifth more); of error_rate the difference of the shares',
);

export const regression = object<Regression>('Regression', {
  id: text(),
  type: operationType,
  name: operationName,
  metric: oneOf(REGRESSION_METRICS),
  against: oneOf(['baseline', 'version'], 'What it was like before, or with the last version'),
  version: optional(text()),
  previousVersion: optional(text()),
  state: oneOf(['open', 'over']),
  since: moment('When it began, as far as can be told'),
  detectedAt: moment('When it was certain'),
  overAt: optional(moment('When it was over')),
  before: number(unit),
  now: number(unit),
  change,
  interval: interval('change'),
  pValue: share('How probable so great a change is where nothing changed'),
  count: count('Operations behind now'),
  parts: list(
    object<ChangedPart>('ChangedPart', {
      part: oneOf(PARTS),
      beforeMs: milliseconds('Before, per operation'),
      nowMs: milliseconds('Since then, per operation'),
    }),
    'The parts of its time that grew, the one that grew most first',
  ),
  alongside: optional(
    list(
      object<NonNullable<Regression['alongside']>[number]>('Alongside', {
        type: operationType,
        name: operationName,
        metric: oneOf(REGRESSION_METRICS),
        change,
        since: moment('When it began'),
      }),
      'What got worse at the same time: it may be why',
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
  from: moment('The beginning'),
  to: moment('The end'),
  first: number('The fitted value at the beginning, in unit'),
  last: number('The fitted value at the end, in unit'),
  slopePerHour: number('In unit per hour'),
  interval: interval('slopePerHour'),
  pValue: share('How probable so great a drift is where there is none'),
  forecast: optional(
    object<NonNullable<Trend['forecast']>>('Forecast', {
      limit: number('The threshold or limit, in unit'),
      reachedAt: moment('When it is reached if it goes on like that'),
    }),
  ),
  explanation,
});

export const leak = object<Leak>('Leak', {
  memory: oneOf(LEAKING_MEMORIES),
  state: oneOf(['suspect', 'confirmed']),
  since: moment('When it began'),
  bytesPerHour: number('Its growth'),
  usedBytes: bytes('In use after a collection'),
  limitBytes: optional(bytes('What it grows towards')),
  timeToLimitMs: optional(milliseconds('The time left if it goes on like that')),
  confidence: share('How sure it is'),
  suspects: list(
    object<Leak['suspects'][number]>('Suspect', {
      type: operationType,
      name: operationName,
      bytesPerOperation: number('What each of them leaves'),
    }),
    'The most likely first',
  ),
  explanation,
});
