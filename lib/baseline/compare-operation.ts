import { holm } from '../inference/holm.js';
import { type ChangeEstimate, estimateChanges } from './estimate-change.js';
import {
  CHANGE_MEASURES,
  type ChangeMeasure,
  type ChangeOptions,
  type ChangeVerdict,
  type MeasureChange,
  type OperationChange,
  type OperationSide,
} from './operation-change.js';

/** Both sides of one operation, and its differences. */
export interface ComparedSides {
  readonly before: OperationSide;
  readonly after: OperationSide;
  readonly estimates: readonly ChangeEstimate[];
}

/** The smallest change that matters, as a share of the value before and in the unit of the measure: both must be reached. */
interface Minimum {
  readonly share: number;
  readonly amount: number;
}

/** A share of failures: one in a hundred. */
const MIN_ERROR_DIFFERENCE = 0.01;
/** Half a statement per operation. */
const MIN_STATEMENTS = 0.5;

/** Compares one operation before and after a moment, or in two versions. */
export function compareOperation(
  before: OperationSide,
  after: OperationSide,
  options: ChangeOptions = {},
): OperationChange {
  const estimates = estimateChanges(before, after, options);
  return judgeOperations([{ before, after, estimates }], options)[0] as OperationChange;
}

/** Judges operations together: p-values are corrected for all of them. In the same order. */
export function judgeOperations(
  operations: readonly ComparedSides[],
  { minEffectPercent = 10, minEffectMs = 2, alpha = 0.01 }: ChangeOptions = {},
): OperationChange[] {
  const corrected = holm(operations.flatMap(({ estimates }) => estimates.map(({ pValue }) => pValue)));
  const minima = minimaOf(minEffectPercent / 100, minEffectMs);
  let at = 0;
  return operations.map(({ before, after, estimates }) => {
    const judged = new Map(
      estimates.map((one) => [
        one.measure,
        changeOf(one, corrected[at++] as number, minima[one.measure], alpha),
      ]),
    );
    const measures = CHANGE_MEASURES.map(
      (measure): MeasureChange => judged.get(measure) ?? { measure, verdict: 'not enough data' },
    );
    // Few windows have a share of failures, and no median yet: that must not pass as the same.
    const known = measures.filter(
      ({ measure }) => judged.has(measure) || measure === 'median' || isKnown(measure, before, after),
    );
    const verdict = verdictOf(known.map((one) => one.verdict));
    return { verdict, before: { count: before.count }, after: { count: after.count }, measures };
  });
}

/** `worse` if one is, else `better` if one is, else `same` if all are: what is unknown decides only against `same`. */
export function verdictOf(verdicts: readonly ChangeVerdict[]): ChangeVerdict {
  if (verdicts.includes('worse')) return 'worse';
  if (verdicts.includes('better')) return 'better';
  return verdicts.length > 0 && verdicts.every((one) => one === 'same') ? 'same' : 'not enough data';
}

/** Whether one side has a measure at all, if not enough of it. */
function isKnown(measure: ChangeMeasure, before: OperationSide, after: OperationSide): boolean {
  return measure !== 'errors' && (before[measure] !== undefined || after[measure] !== undefined);
}

function minimaOf(share: number, ms: number): Readonly<Record<ChangeMeasure, Minimum>> {
  return {
    median: { share, amount: ms },
    tail: { share: 2 * share, amount: ms },
    errors: { share: 0, amount: MIN_ERROR_DIFFERENCE },
    statements: { share, amount: MIN_STATEMENTS },
    cpu: { share: 2 * share, amount: ms / 2 },
  };
}

function changeOf(
  { measure, before, after, difference, interval, isSteady = true }: ChangeEstimate,
  pValue: number,
  minimum: Minimum,
  alpha: number,
): MeasureChange {
  const isCertain = pValue <= alpha && isSteady;
  // Symmetrical as factors: -50 % is as great as +100 %.
  const up = Math.max(minimum.share * before, minimum.amount);
  const down = Math.max((minimum.share / (1 + minimum.share)) * before, minimum.amount);
  const [low, high] = interval;
  let verdict: ChangeVerdict = 'not enough data';
  if (isCertain && difference >= up) verdict = 'worse';
  else if (isCertain && difference <= -down) verdict = 'better';
  else if (high < up && low > -down) verdict = 'same';
  const percent = (value: number): number => (100 * value) / before;
  return {
    measure,
    verdict,
    before,
    after,
    difference,
    interval,
    ...(before > 0 ? { percent: percent(difference), percentInterval: [percent(low), percent(high)] } : {}),
    pValue,
  };
}
