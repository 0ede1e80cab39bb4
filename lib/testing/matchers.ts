import { types as is } from 'node:util';
import { ms } from '../explain/words.js';
import { formatValue, invalid } from '../validation/options-error.js';
import {
  count,
  type MatcherResult,
  type MatcherThis,
  noVerdict,
  recordingOf,
  verdict,
  whyNoQueries,
  whyNotServed,
} from './matcher-result.js';
import { groupByRequest, groupByRoute, lineOf, listGroups } from './query-groups.js';
import type { RecordedOperation, RecordedQuery } from './recording.js';

/** Options of `toHaveNoRepeatedQueries`. */
export interface RepeatedQueriesOptions {
  /** The number of executions within one request that count as a repetition. Default 2. */
  min?: number | undefined;
  /** Statements that may be repeated: a name, a part of the statement (without literals, in lower case), or a pattern. */
  ignore?: readonly (string | RegExp)[] | undefined;
}

/** Options of `toStayUnderThresholds`. */
export interface ThresholdsOptions {
  /** The operation types to check. Default: all. */
  types?: readonly string[] | undefined;
}

/**
 * Matchers for `expect.extend` of Jest and Vitest. If nothing was recorded that could be judged, they fail, also with
 * `.not`.
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
    throw new RangeError(`${matcher}: ${invalid('min', formatValue(min), 'a whole number from 2')}`);
  const invalidIndex = ignore.findIndex((one) => typeof one !== 'string' && !is.isRegExp(one));
  if (invalidIndex >= 0)
    throw new TypeError(
      `${matcher}: ${invalid(`ignore[${invalidIndex}]`, formatValue(ignore[invalidIndex]), 'a string or a RegExp')}`,
    );
  const obstacle = whyNoQueries(recording) ?? whyNotServed(recording);
  if (obstacle !== undefined) return noVerdict(this, `${matcher}()`, obstacle);
  // Failed queries were retried.
  const judged = recording.queries.filter((query) => !query.error && !isIgnored(query, ignore));
  const repeated = groupByRequest(judged).filter(({ queries }) => queries.length >= min);
  return verdict(this, `${matcher}()`, recording, repeated.length === 0, () =>
    repeated.length === 0
      ? `Expected a repeated statement within one request, received ${judged.length === 0 ? 'no queries' : `${count(judged.length, 'query', 'queries')} without repetition`}.`
      : `${count(repeated.length, 'statement was', 'statements were')} repeated:\n\n${listGroups(repeated)}`,
  );
}

function toMakeAtMostQueries(this: MatcherThis, received: unknown, most: number): MatcherResult {
  const matcher = 'toMakeAtMostQueries';
  const recording = recordingOf(matcher, received);
  if (!Number.isInteger(most) || most < 0)
    throw new RangeError(`${matcher}: ${invalid('number', formatValue(most), 'a whole number from 0')}`);
  const obstacle = whyNoQueries(recording);
  if (obstacle !== undefined) return noVerdict(this, `${matcher}(${most})`, obstacle);
  const { queries } = recording;
  const few = queries.length <= most;
  return verdict(this, `${matcher}(${most})`, recording, few, () => {
    const expected = `Expected ${few ? 'more than' : 'at most'} ${count(most, 'query', 'queries')}`;
    return `${expected}, received ${queries.length}${queries.length === 0 ? '.' : `:\n\n${listGroups(groupByRoute(queries))}`}`;
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
      `${matcher}: ${invalid('types', formatValue(types), "an array of types, such as ['http', 'database']")}`,
    );
  const { operations } = recording;
  const judged = operations.filter(({ type }) => types === undefined || types.includes(type));
  const isOfRequests = types === undefined || types.includes('http');
  const notServed = isOfRequests && judged.length > 0 ? whyNotServed(recording) : undefined;
  if (notServed !== undefined) return noVerdict(this, `${matcher}()`, notServed);
  // Calls that the test makes itself are no evidence, unless it judges them.
  if (!judged.some(({ type, root }) => types !== undefined || type !== 'external' || root !== undefined)) {
    const others = [...new Set(operations.map(({ type }) => type))];
    const why =
      types === undefined || others.length === 0
        ? (whyNoQueries(recording) ?? 'No operations were recorded.')
        : `No operation of ${types.join(', ')} was recorded. Recorded types: ${others.join(', ')}.`;
    return noVerdict(this, `${matcher}()`, why);
  }
  const over = judged.filter(
    ({ durationMs, thresholdMs = Number.POSITIVE_INFINITY }) => durationMs > thresholdMs,
  );
  return verdict(this, `${matcher}()`, recording, over.length === 0, () =>
    over.length === 0
      ? `Expected an operation above its threshold, received ${count(judged.length, 'operation', 'operations')} below.`
      : `${count(over.length, 'operation', 'operations')} exceeded the threshold:\n\n${over.map(slowLine).join('\n')}`,
  );
}

function isIgnored(
  { name, statement }: RecordedQuery,
  ignore: NonNullable<RepeatedQueriesOptions['ignore']>,
): boolean {
  // `search`, as `test` of a global pattern depends on its last match.
  return ignore.some((one) =>
    typeof one === 'string' ? one === name || statement.includes(one) : statement.search(one) >= 0,
  );
}

function slowLine({ type, name, durationMs, thresholdMs = 0, root, callSite }: RecordedOperation): string {
  const where = root === undefined ? '' : ` within ${root.name}`;
  const place = callSite === undefined ? '' : `\n    at ${lineOf(callSite)}`;
  return `  ${name} (${type})${where} took ${ms(durationMs)} (threshold ${ms(thresholdMs)})${place}`;
}
