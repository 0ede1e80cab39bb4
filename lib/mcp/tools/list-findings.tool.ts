import { type DetailedFinding, FINDING_TYPES, type Finding, SEVERITIES } from '../../explain/finding.js';
import type { SlowOperation } from '../../explain/slow-operation.js';
import { lastLines } from '../../spans/operation-log.js';
import { duration, moment as momentText } from '../../text/quantities.js';
import { moment, oneOf, text } from '../arguments.js';
import { logLines } from '../log-lines.js';
import { code, place, prose } from '../markdown.js';
import { planLines } from '../plan-lines.js';
import { contains, headOf, limit, selected } from '../selection.js';
import { type ToolContext, tool } from '../tool.js';

export const listFindings = tool({
  name: 'list_findings',
  title: 'Findings',
  description:
    'Problems that detectors found in this application, the most expensive first: N+1 queries, duplicate queries, sequential calls, event loop blocks, errors, regressions, leaks. Each has its line of code, its statement, its cost and how to fix it. Start here to find something to improve.',
  arguments: {
    type: oneOf('Only findings of this type', FINDING_TYPES),
    severity: oneOf('Only findings of at least this severity', SEVERITIES),
    operation: text('Only findings in operations whose name contains this, such as "GET /albums"'),
    file: text('Only findings whose line of code is in a file whose path contains this'),
    since: moment('Only findings seen since then'),
    limit,
  },
  answer: ({ type, severity, operation, file, since, limit: max }, context) => {
    const least = severity === undefined ? 0 : SEVERITIES.indexOf(severity);
    const slow = context.monitor.getSlowOperations();
    const selection = selected(
      context.monitor.getFindings(),
      (one) =>
        (type === undefined || one.type === type) &&
        SEVERITIES.indexOf(one.severity) >= least &&
        contains(one.route, operation) &&
        (file === undefined || contains(one.callSite?.file, file)) &&
        one.lastSeen >= (since ?? 0),
      max,
    );
    const findings = selection.shown.map((finding) => ({
      ...finding,
      ...logOf(finding, context),
      ...evidenceOf(finding, slow, context),
    }));
    return {
      lines: [
        headOf(selection, 'finding'),
        ...findings.flatMap((finding, index) => ['', ...findingLines(finding, index + 1)]),
        ...(findings.length === 0 ? [] : ['', NEXT]),
      ],
      data: { total: selection.total, matching: selection.matching, findings },
    };
  },
});

const NEXT =
  'Next: get_slow_operation with an evidence id shows the waterfall. Before a change call get_operation and keep its measurement; after it, verify_fix compares.';

/** A finding with a slow operation that shows it, if one is kept. */
type FindingWithEvidence = DetailedFinding & {
  readonly slowOperation?: string;
  readonly page?: string | undefined;
};

/** Lines of the log of one finding. */
const MAX_LOG_LINES = 5;

/** What the latest failed execution logged last. */
function logOf({ type, id }: Finding, { monitor }: ToolContext): Pick<DetailedFinding, 'log'> {
  const log = type === 'errors' ? monitor.getFinding(id)?.log : undefined;
  return log === undefined ? {} : { log: lastLines(log, MAX_LOG_LINES) };
}

/** The newest slow operation of the same trace, else of the same name. */
function evidenceOf(
  { traceId, route }: Finding,
  slow: readonly SlowOperation[],
  { links }: ToolContext,
): Pick<FindingWithEvidence, 'slowOperation' | 'page'> {
  const found =
    (traceId === '' ? undefined : slow.find((one) => one.traceId === traceId && one.name === route)) ??
    slow.find((one) => one.name === route);
  return found === undefined
    ? { page: links.overview }
    : { slowOperation: found.id, page: links.slowOperation(found.id) };
}

/** The lines of a finding, with its number in the list. */
export function findingLines(finding: FindingWithEvidence, number: number): string[] {
  const { id, type, severity, route, count, totalMs, worstMs, lastSeen } = finding;
  const cost = worstMs > 0 ? `, ${duration(totalMs)} in total, at worst ${duration(worstMs)}` : '';
  const { callSite, fingerprint, slowOperation, page } = finding;
  const isStatement = type === 'n_plus_one' || type === 'duplicate_queries';
  return [
    `${number}. **${type}** (${severity}) in ${code(route)}: seen ${count} times${cost}, last ${momentText(lastSeen)}. Finding id ${code(id)}`,
    `   ${prose(finding.explanation)}`,
    ...(callSite === undefined ? [] : [`   Line: ${place(callSite)}`]),
    ...(isStatement ? [`   Repeated: ${code(fingerprint)}`] : []),
    ...planLines(finding.plan).map((line) => `   ${line}`),
    ...logLines(finding.log, MAX_LOG_LINES).map((line) => (line === '' ? line : `   ${line}`)),
    ...(slowOperation === undefined ? [] : [`   Evidence: slow operation ${code(slowOperation)}`]),
    ...(page === undefined ? [] : [`   Page: ${page}`]),
  ];
}
