import {
  type ComparedMetric,
  type ComparedOperation,
  type Comparison,
  VERDICTS,
  type Verdict,
} from '../baseline/compare-baselines.js';
import { markdownText } from '../report/markdown-text.js';
import { printable } from '../text/printable.js';

const WORDS: Readonly<Record<Verdict, string>> = {
  slower: 'slower',
  faster: 'faster',
  no_change: 'no change',
  too_few: 'too few',
  new: 'new',
  gone: 'gone',
};
const METRICS: Readonly<Record<ComparedMetric['metric'], string>> = {
  latency: 'latency',
  tail_latency: 'tail',
  error_rate: 'errors',
  queries: 'queries',
};

/** `1 slower, 3 no change` */
export function summaryOf({ counts }: Comparison): string {
  const parts = VERDICTS.filter((verdict) => counts[verdict] > 0);
  return parts.map((verdict) => `${counts[verdict]} ${WORDS[verdict]}`).join(', ') || 'no operations';
}

/** The comparison as lines of text. */
export function asText(comparison: Comparison): string {
  const lines = comparison.operations.map((operation) => {
    const { verdict, type, name } = operation;
    return printable(`${WORDS[verdict].padEnd(10)} ${type} ${name}${details(operation)}`);
  });
  return `${[...lines, summaryOf(comparison)].join('\n')}\n`;
}

/** The comparison as a Markdown table. */
export function asMarkdown(comparison: Comparison): string {
  const rows = comparison.operations.map((operation) => {
    const { verdict, type, name, before, after } = operation;
    const cells = [WORDS[verdict], `${type} ${name}`, `${ms(before.p50Ms)} / ${ms(before.p95Ms)}`];
    cells.push(`${ms(after.p50Ms)} / ${ms(after.p95Ms)}`, details(operation).replace(/^: /, ''));
    return `| ${cells.map((cell) => markdownText(cell)).join(' | ')} |`;
  });
  const head = ['Verdict', 'Operation', 'Before p50 / p95', 'After p50 / p95', 'Changes'];
  return `${[`**${summaryOf(comparison)}**`, '', `| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...rows].join('\n')}\n`;
}

/** The changed metrics or, without a change, the latency. */
function details({ metrics, verdict }: ComparedOperation): string {
  const changed = metrics.filter((metric) => metric.verdict !== 'no_change');
  const shown = changed.length > 0 || verdict !== 'no_change' ? changed : metrics.slice(0, 1);
  return shown.length === 0 ? '' : `: ${shown.map(changeOf).join('; ')}`;
}

/** `latency +21 % (+15 to +27 %), 10.1 to 12.2 ms, p 0.0002` */
function changeOf({ metric, change, interval: [low, high], before, after, pValue }: ComparedMetric): string {
  const unit = metric === 'error_rate' ? 'points' : '%';
  const values =
    metric === 'error_rate'
      ? `${round(before * 100)} to ${round(after * 100)} %`
      : `${round(before)} to ${round(after)}${metric === 'queries' ? '' : ' ms'}`;
  return `${METRICS[metric]} ${signed(change)} ${unit} (${signed(low)} to ${signed(high)}), ${values}, p ${pValue.toPrecision(1)}`;
}

function signed(share: number): string {
  const percent = round(share * 100);
  return `${percent > 0 ? '+' : ''}${percent}`;
}

function ms(value: number | undefined): string {
  return value === undefined ? '-' : `${round(value)} ms`;
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
