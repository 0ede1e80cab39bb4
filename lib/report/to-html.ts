import { place } from '../explain/words.js';
import { duration } from '../text/quantities.js';
import { all, type Html, html, list, page, section, table, time } from './html-page.js';
import type { PerformanceReport, ReportedOperation } from './report.js';
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

export { HTML_POLICY } from './html-page.js';

/** The report as a self-contained HTML page without scripts. */
export function toHtml(report: PerformanceReport): string {
  const { service, covered, summary, verdict } = report;
  const [headline = '', ...things] = summary;
  const title = `Performance of ${service.name} ${service.version ?? ''}`.trim();
  const reason = covered.reason === undefined ? '' : ` (${covered.reason})`;
  return page(
    title,
    html`<header><h1>${title}</h1><p class="meta">Since ${time(covered.since)}${reason}, generated ${time(report.generatedAt)} on ${service.host}, Node ${service.node}</p></header>
<main><section class="verdict ${verdict}"><p><strong>${headline}</strong></p>${list(things) ?? ''}</section>
${all(sectionsOf(report))}</main>`,
  );
}

function sectionsOf(report: PerformanceReport): Html[] {
  const most = Math.max(1, ...report.slowest.map(({ totalMsPerHour }) => totalMsPerHour ?? 0));
  const operations = report.slowest.map((one) => [...operationRow(one), hourly(one, most)]);
  return [
    section('Alerts', list(report.alerts.map(activeAlertLine))),
    section('Memory leaks', list(report.leaks.map(stateful))),
    section('Regressions', list(report.regressions.map(stateful))),
    section('Trends', list(report.trends.map(({ explanation }) => explanation))),
    section('Objectives', table('Objectives', SLO_HEAD, report.slos.map(sloRow))),
    section('Findings by cost', list(report.findings.map(finding))),
    section('Operations', table('Operations', [...OPERATION_HEAD, 'Time per hour'], operations)),
    section('Slow operations', list(report.slow.map(slow))),
    section('Slow queries', table('Slow queries', QUERY_HEAD, report.queries.map(queryRow))),
    section('Plans', list(planLines(report))),
    section('Resources', table('Resources', RESOURCE_HEAD, resourceRows(report))),
    section('Baseline', list(baselineLines(report))),
    section('Recent alerts', list(report.recentAlerts.map(recentAlertLine))),
    section('Coverage gaps', list(coverageLines(report))),
  ];
}

function stateful({ state, explanation }: { state: string; explanation: string }): Html {
  return html`<span class="tag">${state}</span>: ${explanation}`;
}

function finding(one: PerformanceReport['findings'][number]): Html {
  const { severity, lostMsPerHour, route, callSite, explanation } = one;
  const where = callSite === undefined ? '' : html` <span class="meta">${place(callSite)}</span>`;
  return html`<span class="tag ${severity}">${severity}</span>, ${duration(lostMsPerHour)} per hour, ${route}: ${explanation}${where}`;
}

function slow(one: PerformanceReport['slow'][number]): Html {
  const { profile } = one;
  const where = profile === undefined ? '' : html` <span class="meta">Profile ${profile}</span>`;
  return html`${slowSentence(one)}${where}`;
}

function hourly({ totalMsPerHour }: ReportedOperation, most: number): Html {
  if (totalMsPerHour === undefined) return html``;
  return html`${duration(totalMsPerHour)} <meter min="0" max="${most}" value="${totalMsPerHour}" aria-label="relative to the maximum"></meter>`;
}
