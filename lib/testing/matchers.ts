import { types as is } from 'node:util';
import { ms } from '../explain/words.js';
import { formatValue } from '../validation/options-error.js';
import { whyNoQueries } from './blind-spots.js';
import { lineOf } from './call-site-text.js';
import {
  count,
  type MatcherResult,
  type MatcherThis,
  noVerdict,
  recordingOf,
  verdict,
} from './matcher-result.js';
import { groupByRequest, groupByRoute, listGroups } from './query-groups.js';
import type { RecordedOperation, RecordedQuery } from './recording.js';

/** What a repetition is, for `toHaveNoRepeatedQueries`. */
export interface RepeatedQueriesOptions {
  /** How many of one statement within one request are one. Default 2. */
  min?: number | undefined;
  /** Statements that may be repeated: their name, a part of them (without literals, in lower case), or a pattern. */
  ignore?: readonly (string | RegExp)[] | undefined;
}

/** Of which operations `toStayUnderThresholds` asks. */
export interface ThresholdsOptions {
  /** Default: all of them. */
  types?: readonly string[] | undefined;
}

/**
 * For `expect.extend` of Jest and of Vitest. Where nothing was seen that could be judged, each of them fails, and its
 * opposite by `.not` as well.
 */
export const performanceMatchers = { toHaveNoRepeatedQueries, toMakeAtMostQueries, toStayUnderThresholds };

function toHaveNoRepeatedQueries(
  this: MatcherThis,
  received: unknown,
  { min = 2, ignore = [] }: RepeatedQueriesOptions = {},
): MatcherResult {
  const matcher = 'toHaveNoRepeatedQueries';
  const recording = recordingOf(matcher, received);
  if (!Number.isInteger(min) || min < 2)
    throw new RangeError(
      `${matcher}: min is ${formatValue(min)}, which is not allowed: give a whole number from 2 on`,
    );
  const strange = ignore.findIndex((one) => typeof one !== 'string' && !is.isRegExp(one));
  if (strange >= 0)
    throw new TypeError(
      `${matcher}: ignore[${strange}] is ${formatValue(ignore[strange])}, which is not allowed: give a string or a RegExp`,
    );
  const blind = whyNoQueries(recording);
  if (blind !== undefined) return noVerdict(this, `${matcher}()`, blind);
  // What failed was tried again.
  const judged = recording.queries.filter((query) => !query.error && !isIgnored(query, ignore));
  const repeated = groupByRequest(judged).filter(({ queries }) => queries.length >= min);
  return verdict(this, `${matcher}()`, recording, repeated.length === 0, () =>
    repeated.length === 0
      ? `Expected a statement to be repeated within one request, and ${judged.length === 0 ? 'no query was made' : `none of ${count(judged.length, 'query', 'queries')} was`}.`
      : `${count(repeated.length, 'statement was', 'statements were')} repeated:\n\n${listGroups(repeated)}`,
  );
}

function toMakeAtMostQueries(this: MatcherThis, received: unknown, most: number): MatcherResult {
  const matcher = 'toMakeAtMostQueries';
  const recording = recordingOf(matcher, received);
  if (!Number.isInteger(most) || most < 0)
    throw new RangeError(
      `${matcher}: the number is ${formatValue(most)}, which is not allowed: give a whole number from 0 on`,
    );
  const blind = whyNoQueries(recording);
  if (blind !== undefined) return noVerdict(this, `${matcher}(${most})`, blind);
  const { queries } = recording;
  const few = queries.length <= most;
  return verdict(this, `${matcher}(${most})`, recording, few, () => {
    const expected = `Expected ${few ? 'more than' : 'at most'} ${count(most, 'query', 'queries')}`;
    const made = `${queries.length} ${queries.length === 1 ? 'was' : 'were'} made`;
    return `${expected}, and ${made}${queries.length === 0 ? '.' : `:\n\n${listGroups(groupByRoute(queries))}`}`;
  });
}

function toStayUnderThresholds(
  this: MatcherThis,
  received: unknown,
  { types }: ThresholdsOptions = {},
): MatcherResult {
  const matcher = 'toStayUnderThresholds';
  const recording = recordingOf(matcher, received);
  if (types !== undefined && !(Array.isArray(types) && types.length > 0))
    throw new TypeError(
      `${matcher}: types is ${formatValue(types)}, which is not allowed: give an array of types, ['http', 'database']`,
    );
  const { operations } = recording;
  const judged = operations.filter(({ type }) => types === undefined || types.includes(type));
  if (judged.length === 0) {
    const others = [...new Set(operations.map(({ type }) => type))];
    const why =
      types === undefined || others.length === 0
        ? (whyNoQueries(recording) ?? 'Nothing was seen.')
        : `No operation of ${types.join(', ')} was seen. The types seen: ${others.join(', ')}.`;
    return noVerdict(this, `${matcher}()`, why);
  }
  const over = judged.filter(
    ({ durationMs, thresholdMs = Number.POSITIVE_INFINITY }) => durationMs > thresholdMs,
  );
  return verdict(this, `${matcher}()`, recording, over.length === 0, () =>
    over.length === 0
      ? `Expected an operation to take longer than its threshold, and none of ${judged.length} did.`
      : `${count(over.length, 'operation', 'operations')} took longer than the threshold:\n\n${over.map(slowLine).join('\n')}`,
  );
}

function isIgnored(
  { name, statement }: RecordedQuery,
  ignore: NonNullable<RepeatedQueriesOptions['ignore']>,
): boolean {
  // `search` and not `test`, which goes on from where a global pattern was.
  return ignore.some((one) =>
    typeof one === 'string' ? one === name || statement.includes(one) : statement.search(one) >= 0,
  );
}

function slowLine({ type, name, durationMs, thresholdMs = 0, root, callSite }: RecordedOperation): string {
  const where = root === undefined ? '' : ` within ${root.name}`;
  const place = callSite === undefined ? '' : `\n    at ${lineOf(callSite)}`;
  return `  ${name} (${type})${where} took ${ms(durationMs)}, its threshold is ${ms(thresholdMs)}${place}`;
}
