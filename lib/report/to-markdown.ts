import { ms, percent, place } from '../explain/words.js';
import { markdownText as text } from './markdown-text.js';
import type { PerformanceReport } from './report.js';

/** GitHub takes comments of up to 65,536 characters. In bytes of UTF-8. */
export const MAX_MARKDOWN_BYTES = 60 * 1024;
const CUT = '\n\nThe rest is left out here: see the report as JSON.\n';

/** The report for a pull request or a chat. Texts of the application's can't be markup or mentions in it. */
export function toMarkdown(report: PerformanceReport): string {
  const { service, covered, summary, coverage } = report;
  const version = service.version === undefined ? '' : ` ${text(service.version)}`;
  const since = `Since ${new Date(covered.since).toISOString()}`;
  const lines = [
    `# Performance of ${text(service.name)}${version}`,
    '',
    ...summary.map((sentence, index) => (index === 0 ? `**${text(sentence)}**\n` : `- ${text(sentence)}`)),
    '',
    `${since}${covered.reason === undefined ? '' : ` (${text(covered.reason)})`}, on ${text(service.host)}.`,
    ...section('Alerts', report.alerts, ({ rule, subject }) =>
      `- ${text(rule)} ${text(subject ?? '')}`.trim(),
    ),
    ...section('Memory leaks', report.leaks, ({ state, explanation }) => `- ${state}: ${text(explanation)}`),
    ...section('What got slower', report.regressions, (one) => `- ${one.state}: ${text(one.explanation)}`),
    ...section('What drifts', report.trends, ({ explanation }) => `- ${text(explanation)}`),
    ...section('Findings by cost', report.findings, (finding) => {
      const { severity, route, lostMsPerHour, callSite, explanation } = finding;
      const where = callSite === undefined ? '' : ` At ${text(place(callSite))}.`;
      return `- ${severity}, ${ms(lostMsPerHour)} per hour, ${text(route)}: ${text(explanation)}${where}`;
    }),
    ...table('Operations', ['Operation', 'Count', 'Slow', 'p50', 'p95', 'Errors'], report.slowest, (one) => [
      text(one.name, 80),
      String(one.count),
      String(one.slowCount),
      figure(one.p50Ms),
      figure(one.p95Ms),
      percent(one.errorRate),
    ]),
    ...section('Slow examples', report.slow, (one) => {
      const profile = one.profile === undefined ? '' : ` Profile ${text(one.profile)}.`;
      return `- ${text(one.name, 80)}, ${ms(one.durationMs)}: ${text(one.explanation)}${profile}`;
    }),
    ...table('Slow queries', ['Query', 'Count', 'p95', 'Total'], report.queries, (query) => [
      text(query.fingerprint, 100),
      String(query.count),
      ms(query.p95Ms),
      ms(query.totalMs),
    ]),
    ...section('Not seen', coverage.unseenDrivers, ({ driver, how }) => `- ${text(driver)}: ${text(how)}`),
  ];
  return bounded(lines);
}

function section<T>(title: string, list: readonly T[], line: (entry: T) => string): string[] {
  return list.length === 0 ? [] : ['', `## ${title}`, '', ...list.map(line)];
}

function table<T>(
  title: string,
  head: readonly string[],
  list: readonly T[],
  cells: (entry: T) => readonly string[],
): string[] {
  const row = (columns: readonly string[]): string => `| ${columns.join(' | ')} |`;
  const rule = head.map((_, index) => (index === 0 ? '---' : '--:'));
  return section(title, list, (entry) => row(cells(entry))).flatMap((line, index) =>
    index === 2 ? [line, row(head), row(rule)] : [line],
  );
}

function figure(value: number | undefined): string {
  return value === undefined ? '' : ms(value);
}

/** Whole lines, as many as there is room for. */
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
