import { compareOperation } from '../../baseline/compare-operation.js';
import type { ChangeVerdict, MeasureChange, OperationChange } from '../../baseline/operation-change.js';
import { wordsOfValues } from '../../baseline/release-words.js';
import { sideOfWindows } from '../../baseline/side-of-windows.js';
import type { Finding } from '../../explain/finding.js';
import { times } from '../../explain/words.js';
import { moment as momentText } from '../../text/quantities.js';
import { formatValue, invalid } from '../../validation/options-error.js';
import { ArgumentError, moment, text } from '../arguments.js';
import { findOperation } from '../find-operation.js';
import { code, prose } from '../markdown.js';
import {
  compareExecutions,
  executionsSince,
  isOfOtherInstance,
  type Measurement,
  MIN_EXECUTIONS,
  measurement,
} from '../measurement.js';
import { releaseAgainst } from '../release.js';
import { type ToolContext, ToolFault, tool } from '../tool.js';

/** Windows on either side of a moment that a comparison needs, see `estimateChanges`. */
const MIN_WINDOWS = 5;

export const verifyFix = tool({
  name: 'verify_fix',
  title: 'Verify a fix',
  description:
    'Compares one operation before and after a change: better, worse, same or not enough data, with 95 % confidence intervals for latency, statements per execution and errors, and whether its findings were seen again. Give the measurement that get_operation returned before the change (it survives a restart; 30 executions on each side suffice), or operation and since for a change at a moment without a restart (5 minutes of traffic on each side), or operation and version to compare with another service.version.',
  arguments: {
    measurement: measurement('The measurement of get_operation from before the change, unchanged'),
    operation: text('Without a measurement: the name of the operation'),
    type: text('The type, where several operations have that name'),
    since: moment('Without a measurement: when the change took effect'),
    version: text('Without a measurement: the service.version from before the change'),
  },
  answer: ({ measurement: before, operation, type, since, version }, context) => {
    if (before !== undefined) {
      if (operation !== undefined && operation !== before.operation)
        throw new ArgumentError(
          invalid(
            'argument operation',
            formatValue(operation),
            `${formatValue(before.operation)}, which was measured, or none`,
          ),
        );
      return withMeasurement(before, context);
    }
    if (operation !== undefined && since === undefined && version !== undefined)
      return againstVersion(operation, type, version, context);
    if (operation === undefined || since === undefined || version !== undefined)
      throw new ArgumentError(
        invalid(
          'arguments',
          operation === undefined
            ? 'no operation'
            : since === undefined
              ? 'an operation alone'
              : 'since and version',
          'a measurement of get_operation, or an operation and either since or version',
        ),
      );
    return aroundMoment(operation, type, since, context);
  },
});

function withMeasurement(before: Measurement, context: ToolContext) {
  const { monitor } = context;
  const { type, operation: name, at } = before;
  const run = monitor.countingSince;
  if (isOfOtherInstance(before, run))
    throw new ToolFault(
      `Invalid argument measurement: received one of another instance, taken at ${momentText(at)} when this one had been counting since ${momentText(run)}, expected one of this instance, or from before it started: ask the instance that was measured, or compare versions by operation and version`,
    );
  const all = monitor.operationStatistics(type, name)?.executions();
  if (all === undefined)
    throw new ToolFault(
      `${code(name)} (${type}) has not run since this application started: send it requests, then call verify_fix again with the same measurement. If its route or name changed, get_operation finds the new one`,
    );
  const after = executionsSince(before, all, run);
  if (after === undefined)
    throw new ToolFault(
      'Invalid argument measurement: received more executions than the operation has had since then, expected the measurement of an answer of get_operation of this application',
    );
  const change = compareExecutions(before, after);
  const few = [
    ...(before.count < MIN_EXECUTIONS ? [`${times(before.count, 'execution')} before`] : []),
    ...(after.count < MIN_EXECUTIONS ? [`${times(after.count, 'execution')} after`] : []),
  ];
  const advice =
    few.length > 0
      ? `Only ${few.join(' and ')} the change: ${MIN_EXECUTIONS} on each side are needed. ${before.count < MIN_EXECUTIONS ? 'Undo the change to measure more of what was before.' : `Send at least ${MIN_EXECUTIONS - after.count} more requests and call again with the same measurement.`}`
      : 'A difference between two runs below some 20 % cannot be distinguished from noise. More executions narrow the rest of the interval.';
  return answerOf({ type, name, since: at, change, advice, context, latency: 'latency (geometric mean)' });
}

function aroundMoment(operation: string, givenType: string | undefined, since: number, context: ToolContext) {
  const { type, name } = findOperation(context.monitor, operation, givenType);
  const windows = context.monitor.longTerm.baseline.windows(type, name);
  const before = windows.filter(({ endedAt }) => endedAt <= since);
  const after = windows.filter(({ startedAt }) => startedAt >= since);
  const change = compareOperation(sideOfWindows(before), sideOfWindows(after));
  const advice = `There are ${times(before.length, 'window')} before and ${times(after.length, 'window')} after that moment; ${MIN_WINDOWS} on each side are needed. A window has at least a minute and 30 executions of this run, without its warm-up. For a comparison across a restart, or with less traffic, use a measurement of get_operation.`;
  return answerOf({ type, name, since, change, advice, context, latency: 'latency (median)' });
}

async function againstVersion(
  operation: string,
  givenType: string | undefined,
  version: string,
  context: ToolContext,
) {
  const release = await releaseAgainst(context, version);
  const found = release.operations.find(
    ({ type, name }) => name === operation && (givenType === undefined || type === givenType),
  );
  if (found === undefined)
    throw new ToolFault(
      `${code(operation)} is not among the incoming operations that both versions have: get_release_verdict lists them. ${release.explanation}`,
    );
  const { type, name, ...change } = found;
  const since = release.after?.startedAt ?? context.now;
  return answerOf({
    type,
    name,
    since,
    change,
    advice: prose(release.explanation),
    context,
    latency: 'latency (median)',
  });
}

interface Comparison {
  readonly type: string;
  readonly name: string;
  readonly since: number;
  readonly change: OperationChange;
  /** What to do where there is not enough data. */
  readonly advice: string;
  readonly context: ToolContext;
  /** What the measure `median` is called. */
  readonly latency: string;
}

function answerOf({ type, name, since, change, advice, context, latency }: Comparison) {
  const { monitor, links } = context;
  const findings = monitor
    .getFindings()
    .filter(({ route }) => route === name)
    .map((finding) => ({ ...finding, seenSince: finding.lastSeen > since }));
  const ran = change.after.count;
  const measures = change.measures.filter(({ difference }) => difference !== undefined).map(rounded);
  const nameOf = ({ measure }: MeasureChange): string => (measure === 'median' ? latency : measure);
  const page = links.operation(type, name);
  return {
    lines: [
      `**${change.verdict}**: ${VERDICT_WORDS[change.verdict]} ${code(name)} (${type}), ${times(change.before.count, 'execution')} before and ${change.after.count} after ${momentText(since)}.${measures.length === 0 ? '' : ' With 95 % intervals:'}`,
      ...measures.map((one) => `- ${nameOf(one)}: ${one.verdict}, ${wordsOfValues(one)}`),
      ...(change.verdict === 'not enough data' ? [advice] : []),
      ...findings.flatMap((finding) => findingWords(finding, ran)),
      ...(page === undefined ? [] : [`Page: ${page}`]),
    ],
    data: {
      type,
      operation: name,
      since,
      verdict: change.verdict,
      before: change.before,
      after: change.after,
      measures: measures.map((one) => ({ ...one, measure: nameOf(one) })),
      findings: findings.map(({ id, type: kind, lastSeen, seenSince }) => ({
        id,
        type: kind,
        lastSeen,
        seenSince,
      })),
      ...(change.verdict === 'not enough data' ? { advice } : {}),
      page,
    },
  };
}

const VERDICT_WORDS: Readonly<Record<ChangeVerdict, string>> = {
  better: 'it got better.',
  worse: 'it got worse, at least in one measure.',
  same: 'no change that matters.',
  'not enough data': 'neither a change nor its absence is certain.',
};

/** The digits that mean something. */
const DIGITS = 4;

function rounded(change: MeasureChange): MeasureChange {
  const short = (value: number): number => Number(value.toPrecision(DIGITS));
  return Object.fromEntries(
    Object.entries(change).map(([key, value]) => [
      key,
      typeof value === 'number' ? short(value) : Array.isArray(value) ? value.map(short) : value,
    ]),
  ) as unknown as MeasureChange;
}

/** @param ran executions since */
function findingWords(
  { type, id, lastSeen, seenSince, explanation }: Finding & { seenSince: boolean },
  ran: number,
): string[] {
  if (seenSince)
    return [
      `Finding ${type} (id ${code(id)}) was seen again, last at ${momentText(lastSeen)}: ${prose(explanation, 300)}`,
    ];
  return ran === 0
    ? []
    : [`Finding ${type} (id ${code(id)}) was not seen in ${times(ran, 'execution')} since.`];
}
