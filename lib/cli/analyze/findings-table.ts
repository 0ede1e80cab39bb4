import { ms, times } from '../../explain/words.js';
import { printable } from '../../text/printable.js';
import type { TopFindings, TraceFinding } from './trace-findings.js';

/** The maximum number of findings shown. */
const MAX_ROWS = 100;
/** The maximum width of a column. */
const MAX_CELL = 50;

const COLUMNS: readonly { title: string; right?: boolean; of: (finding: TraceFinding) => string }[] = [
  { title: 'SEVERITY', of: ({ severity }) => severity },
  { title: 'TYPE', of: ({ type }) => type },
  { title: 'COUNT', right: true, of: ({ count }) => String(count) },
  { title: 'TOTAL', right: true, of: ({ totalMs }) => ms(totalMs) },
  { title: 'SERVICE', of: ({ service }) => service },
  { title: 'ROUTE', of: ({ route }) => route },
  { title: 'TRACE', of: ({ traceId }) => traceId },
];

/** Findings as text: a line of columns and a line of explanation for each, then a summary. */
export function findingsTable(findings: TopFindings, analyzed: { requests: number; spans: number }): string {
  const shown = findings.list().slice(0, MAX_ROWS);
  const rows = [
    COLUMNS.map(({ title }) => title),
    ...shown.map((one) => COLUMNS.map(({ of }) => cell(of(one)))),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  const lines: string[] = [];
  for (const [index, row] of rows.entries()) {
    if (shown.length === 0) break;
    const cells = row.map((text, column) => {
      const width = widths[column] as number;
      return COLUMNS[column]?.right === true ? text.padStart(width) : text.padEnd(width);
    });
    lines.push(cells.join('  ').trimEnd());
    const finding = shown[index - 1];
    if (finding !== undefined) lines.push(`    ${printable(finding.explanation)}`);
  }
  const { total, counts } = findings;
  if (shown.length > 0) lines.push('');
  if (total > shown.length)
    lines.push(`Showing the ${shown.length} most expensive of ${total}: use --json for more.`);
  const each = `${counts.critical} critical, ${counts.warning} warning, ${counts.info} info`;
  lines.push(
    `${times(total, 'finding')}${total === 0 ? '' : ` (${each})`} in ${times(analyzed.requests, 'request')}, ${times(analyzed.spans, 'span')}.`,
  );
  return `${lines.join('\n')}\n`;
}

function cell(text: string): string {
  const plain = printable(text);
  return plain.length > MAX_CELL ? `${plain.slice(0, MAX_CELL - 1)}…` : plain;
}
