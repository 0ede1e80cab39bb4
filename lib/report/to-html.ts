import { createHash } from 'node:crypto';
import { ms, percent, place } from '../explain/words.js';
import type { PerformanceReport } from './report.js';

const STYLE = `:root{color-scheme:light dark;--line:#8886;--quiet:light-dark(#555,#aaa);--bad:light-dark(#b00020,#ff8a80);--warn:light-dark(#8a5300,#ffc266);--fine:light-dark(#17652b,#7fd897)}
*{box-sizing:border-box}body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:0 auto;padding:1rem;overflow-wrap:anywhere}
h1{font-size:1.6rem;margin:.5rem 0}h2{font-size:1.2rem;margin:2rem 0 .5rem}.meta{color:var(--quiet);font-size:.9rem}
.verdict{border-left:.4rem solid;padding:.2rem 1rem;margin:1rem 0}.fine{border-color:var(--fine)}.warning{border-color:var(--warn)}.critical{border-color:var(--bad)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:right;padding:.35rem .6rem;border-bottom:1px solid var(--line);white-space:nowrap;font-variant-numeric:tabular-nums}
th:first-child,td:first-child,tbody th{text-align:left;white-space:normal;min-width:12rem;font-weight:normal}thead th{font-weight:600}li{margin:.4rem 0}meter{width:5rem}
@media print{body{max-width:none;padding:0}h2{break-after:avoid}li,tr{break-inside:avoid}}`;

/** The policy of the page: its own style, by its hash, and nothing else. */
export const HTML_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;

/** The report as a page in one file, without scripts. */
export function toHtml(report: PerformanceReport): string {
  const { service, covered, summary, verdict, coverage } = report;
  const [headline = '', ...things] = summary;
  const title = `Performance of ${text(service.name)} ${text(service.version ?? '')}`.trim();
  const most = Math.max(1, ...report.slowest.map(({ totalMsPerHour }) => totalMsPerHour ?? 0));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${text(HTML_POLICY)}">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>${title}</title><style>${STYLE}</style></head>
<body><header><h1>${title}</h1><p class="meta">Since ${when(covered.since)}${covered.reason === undefined ? '' : ` (${text(covered.reason)})`}, made ${when(report.generatedAt)} on ${text(service.host)}, Node ${text(service.node)}</p></header>
<main><section class="verdict ${verdict}"><p><strong>${text(headline)}</strong></p>${list(things.map(text))}</section>
${section(
  'Alerts',
  list(
    report.alerts.map(
      ({ rule, subject, firedAt }) => `${text(`${rule} ${subject ?? ''}`)} since ${when(firedAt)}`,
    ),
  ),
)}${section('Memory leaks', list(report.leaks.map((one) => text(`${one.state}: ${one.explanation}`))))}${section(
  'What got slower',
  list(report.regressions.map((one) => text(`${one.state}: ${one.explanation}`))),
)}${section('What drifts', list(report.trends.map(({ explanation }) => text(explanation))))}${section(
  'Findings by cost',
  list(
    report.findings.map(
      ({ severity, lostMsPerHour, route, callSite, explanation }) =>
        `<strong>${text(severity)}</strong>, ${ms(lostMsPerHour)} per hour, ${text(route)}: ${text(explanation)}${callSite === undefined ? '' : ` <span class="meta">${text(place(callSite))}</span>`}`,
    ),
  ),
)}${section(
  'Operations',
  table(
    ['Operation', 'Count', 'Slow', 'p50', 'p95', 'Errors', 'Time per hour'],
    report.slowest.map((one) => [
      text(one.name),
      String(one.count),
      String(one.slowCount),
      figure(one.p50Ms),
      figure(one.p95Ms),
      percent(one.errorRate),
      one.totalMsPerHour === undefined
        ? ''
        : `${ms(one.totalMsPerHour)} <meter min="0" max="${most}" value="${one.totalMsPerHour}" aria-label="share of the greatest"></meter>`,
    ]),
  ),
)}${section(
  'Slow examples',
  list(
    report.slow.map(
      ({ name, durationMs, explanation }) =>
        `<strong>${text(name)}</strong>, ${ms(durationMs)}: ${text(explanation)}`,
    ),
  ),
)}${section(
  'Slow queries',
  table(
    ['Query', 'Count', 'p95', 'Total'],
    report.queries.map((one) => [text(one.fingerprint), String(one.count), ms(one.p95Ms), ms(one.totalMs)]),
  ),
)}${section('Not seen', list(coverage.unseenDrivers.map(({ driver, how }) => text(`${driver}: ${how}`))))}</main></body></html>
`;
}

function text(value: string): string {
  return value.replace(/[&<>"'\p{Cc}\p{Bidi_Control}]/gu, (character) =>
    /[&<>"']/.test(character) ? `&#${character.charCodeAt(0)};` : ' ',
  );
}

function when(moment: number): string {
  const iso = new Date(moment).toISOString();
  return `<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`;
}

function figure(value: number | undefined): string {
  return value === undefined ? '' : ms(value);
}

function section(title: string, content: string): string {
  return content === '' ? '' : `<section><h2>${title}</h2>${content}</section>\n`;
}

function list(entries: readonly string[]): string {
  return entries.length === 0 ? '' : `<ul>${entries.map((entry) => `<li>${entry}</li>`).join('')}</ul>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const body = rows.map(
    ([first = '', ...rest]) =>
      `<tr><th scope="row">${first}</th>${rest.map((cell) => `<td>${cell}</td>`).join('')}</tr>`,
  );
  return `<div class="scroll" tabindex="0"><table><thead><tr>${head.map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}
