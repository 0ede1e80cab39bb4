import { place } from '../explain/words.js';
import { duration, moment } from '../text/quantities.js';
import { markdownText as text } from './markdown-text.js';
import type { PerformanceReport } from './report.js';
import {
  activeAlertLine,
  baselineLines,
  coverageLines,
  OPERATION_HEAD,
  operationRow,
  planLines,
  QUERY_HEAD,
  queryRow,
  RESOURCE_HEAD,
  recentAlertLine,
  resourceRows,
  SLO_HEAD,
  sloRow,
} from './report-rows.js';
import { slowSentence } from './report-words.js';

/** In bytes of UTF-8. GitHub limits comments to 65,536 characters. */
export const MAX_MARKDOWN_BYTES = 60 * 1024;
const CUT = '\n\nTruncated: see the JSON report.\n';
const MAX_CELL = 100;

/** The report for a pull request or chat. Texts from the application are escaped. */
export function toMarkdown(report: PerformanceReport): string {
  const { service, covered, summary } = report;
  const version = service.version === undefined ? '' : ` ${text(service.version)}`;
  const reason = covered.reason === undefined ? '' : ` (${text(covered.reason)})`;
  const lines = [
    `# Performance of ${text(service.name)}${version}`,
    '',
    ...summary.map((sentence, index) => (index === 0 ? `**${text(sentence)}**\n` : `- ${text(sentence)}`)),
    '',
    `Since ${moment(covered.since)}${reason}, generated ${moment(report.generatedAt)} on ${text(service.host)}.`,
    ...items('Alerts', report.alerts.map(activeAlertLine)),
    ...items(
      'Memory leaks',
      report.leaks.map(({ state, explanation }) => `${state}: ${explanation}`),
    ),
    ...items(
      'Regressions',
      report.regressions.map(({ state, explanation }) => `${state}: ${explanation}`),
    ),
    ...items(
      'Trends',
      report.trends.map(({ explanation }) => explanation),
    ),
    ...table('Objectives', SLO_HEAD, report.slos.map(sloRow)),
    ...items('Findings by cost', report.findings.map(findingLine)),
    ...table('Operations', OPERATION_HEAD, report.slowest.map(operationRow)),
    ...items('Slow operations', report.slow.map(slowLine)),
    ...table('Slow queries', QUERY_HEAD, report.queries.map(queryRow)),
    ...items('Plans', planLines(report)),
    ...table('Resources', RESOURCE_HEAD, resourceRows(report)),
    ...items('Baseline', baselineLines(report)),
    ...items('Recent alerts', report.recentAlerts.map(recentAlertLine)),
    ...items('Coverage gaps', coverageLines(report)),
  ];
  return bounded(lines);
}

function findingLine(finding: PerformanceReport['findings'][number]): string {
  const { severity, route, lostMsPerHour, callSite, explanation } = finding;
  const where = callSite === undefined ? '' : ` At ${place(callSite)}.`;
  return `${severity}, ${duration(lostMsPerHour)} per hour, ${route}: ${explanation}${where}`;
}

function slowLine(one: PerformanceReport['slow'][number]): string {
  const { profile } = one;
  return `${slowSentence(one)}${profile === undefined ? '' : ` Profile ${profile}.`}`;
}

function items(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `## ${title}`, '', ...lines.map((line) => `- ${text(line)}`)];
}

function table(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, index) => (index === 0 ? '---' : '--:'));
  const cells = rows.map((row) => line(row.map((cell) => text(cell, MAX_CELL))));
  return ['', `## ${title}`, '', line(head), line(rule), ...cells];
}

/** As many whole lines as fit. */
function bounded(lines: readonly string[]): string {
  let room = MAX_MARKDOWN_BYTES - Buffer.byteLength(CUT);
  const kept: string[] = [];
  for (const line of lines) {
    room -= Buffer.byteLength(line) + 1;
    if (room < 0) return kept.join('\n') + CUT;
    kept.push(line);
  }
  return `${kept.join('\n')}\n`;
}
