import { duration, figure, megabytes, percent } from '../text/quantities.js';
import type { JudgedRelease } from './judge-release.js';
import type { ChangeMeasure, ChangeVerdict, MeasureChange } from './operation-change.js';
import type { MemoryChange } from './process-change.js';
import type { MemoryMeasure } from './process-memory.js';
import type { ReleaseOperation } from './release-verdict.js';

/** The number of operations that the explanation names. */
const MAX_NAMED = 3;
const MEASURE_WORDS: Readonly<Record<ChangeMeasure, string>> = {
  median: 'median',
  tail: 'slowest 5 %',
  errors: 'errors',
  statements: 'statements',
  cpu: 'CPU',
};

const MEMORY_WORDS: Readonly<Record<MemoryMeasure, string>> = {
  heap: 'heap after collections',
  rss: 'resident memory',
};

/** Why there is nothing to compare. */
export function wordsWithoutData(
  why: 'disabled' | 'no version' | 'no other version' | 'not yet',
  version = '',
): string {
  if (why === 'disabled') return 'Baselines are disabled: the option baseline.enabled is false.';
  if (why === 'no version')
    return 'The version of this application is unknown: set serviceVersion, OTEL_RESOURCE_ATTRIBUTES=service.version=VERSION, or version in its package.json.';
  if (why === 'not yet')
    return `Version ${version} has no data yet: it is learned from minutes with executions, after baseline.warmUpSeconds.`;
  return `There is only version ${version}: keep baselines across releases with baseline.directory or baseline.store.`;
}

/** The verdict in one or two sentences. */
export function wordsOfRelease({
  verdict,
  operations,
  process,
  before,
  after,
  counts,
}: JudgedRelease): string {
  const versions = `Version ${after.version}`;
  const than = `${before.version}`;
  if (verdict === 'worse' || verdict === 'better') {
    const changed = operations.filter((one) => one.verdict === verdict);
    const named = changed.slice(0, MAX_NAMED).map((one) => `${one.name} (${wordsOfChanges(one, verdict)})`);
    const more = counts[verdict] > named.length ? ` and ${counts[verdict] - named.length} more` : '';
    const memory = process?.measures.filter((one) => one.verdict === verdict).map(wordsOfMemory) ?? [];
    if (memory.length > 0) named.push(`the process (${memory.join(', ')})`);
    return `${versions} is ${verdict} than ${than}: ${named.join('; ')}${more}.`;
  }
  if (verdict === 'same') {
    const judged = process?.verdict === 'same' ? 'each main operation and the memory' : 'each main operation';
    return `${versions} is the same as ${than}: for ${judged}, the interval excludes a change that matters.`;
  }
  if (operations.length === 0)
    return `${versions} and ${than} have no operation in common with minutes to compare.`;
  const open = [
    ...(counts['not enough data'] === 0
      ? []
      : [`${counts['not enough data']} of ${operations.length} operations`]),
    ...(process?.verdict === 'not enough data' ? ['the memory of the process'] : []),
  ];
  return `${versions} has not enough data to be judged against ${than}: ${open.join(' and ')} may still have changed by more than what matters.`;
}

/** `median 102 ms -> 148 ms, +45 % (+31 to +60 %)` */
export function wordsOfMeasure(change: MeasureChange): string {
  return `${MEASURE_WORDS[change.measure]} ${wordsOfValues(change)}`;
}

/** `102 ms -> 148 ms, +45 % (+31 to +60 %)` */
export function wordsOfValues({
  measure,
  before = 0,
  after = 0,
  difference = 0,
  interval = [0, 0],
  percent: relative,
  percentInterval,
}: MeasureChange): string {
  if (measure === 'errors') {
    const [low, high] = interval.map((share) => signed(share * 100));
    return `${percent(before)} -> ${percent(after)}, ${signed(difference * 100)} points (${low} to ${high})`;
  }
  const unit = measure === 'statements' ? '' : ' ms';
  const values = `${figure(before)}${unit} -> ${figure(after)}${unit}`;
  if (relative === undefined || percentInterval === undefined) {
    const [low, high] = interval.map(signed);
    return `${values}, ${signed(difference)}${unit} (${low} to ${high}${unit})`;
  }
  const [low, high] = percentInterval.map((value) => signed(Math.max(-100, value)));
  return `${values}, ${signed(relative)} % (${low} to ${high} %)`;
}

/** `heap after collections 120 MB -> 180 MB, +50 % (+38 to +63 %), at an age of 40 to 80 min` */
export function wordsOfMemory({
  measure,
  before,
  after,
  age,
  percent: relative = 0,
  percentInterval: [low, high] = [0, 0],
}: MemoryChange): string {
  const name = MEMORY_WORDS[measure];
  if (before === undefined || after === undefined || age === undefined) return `${name}: not enough data`;
  const values = `${megabytes(before.value)} -> ${megabytes(after.value)}`;
  const interval = `${signed(Math.max(-100, low))} to ${signed(high)} %`;
  return `${name} ${values}, ${signed(relative)} % (${interval}), ${duration(age.from)} to ${duration(age.to)} after the start`;
}

function wordsOfChanges({ measures }: ReleaseOperation, verdict: ChangeVerdict): string {
  return measures
    .filter((one) => one.verdict === verdict)
    .map(wordsOfMeasure)
    .join(', ');
}

function signed(value: number): string {
  return `${value > 0 ? '+' : ''}${figure(value)}`;
}
