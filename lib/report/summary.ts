import { times } from '../explain/words.js';
import type { PerformanceReport } from './report.js';
import { percentOf, slowSentence } from './report-words.js';

/** The things that are named in the summary. */
const NAMED = 3;
/** Fewer bad operations than that are an accident, however small the budget. */
const LEAST_BAD = 3;

interface Attention {
  readonly critical: boolean;
  readonly sentence: string;
}

/** The verdict, and some sentences that begin with it. */
export function summarize(
  content: Pick<PerformanceReport, 'slow' | 'regressions' | 'findings' | 'leaks' | 'alerts' | 'slos'>,
): Pick<PerformanceReport, 'verdict' | 'summary'> {
  const { slow, regressions, findings, leaks, alerts, slos } = content;
  const things: Attention[] = [
    ...alerts.map(({ rule, subject }) => ({
      critical: true,
      sentence: `The alert ${rule}${subject === undefined ? '' : ` (${subject})`} fires.`,
    })),
    ...leaks.map(({ state, explanation }) => ({ critical: state === 'confirmed', sentence: explanation })),
    ...regressions
      .filter(({ state }) => state === 'open')
      .map(({ explanation }) => ({ critical: false, sentence: explanation })),
    ...slos.filter(isOverspent).map(({ slo, objective, windows }) => ({
      critical: false,
      sentence: `The objective ${slo} has no budget left: ${windows['3d'].bad} of ${windows['3d'].total} within three days were bad, where ${percentOf(1 - objective)} may be.`,
    })),
    ...findings
      .filter(({ severity }) => severity !== 'info')
      .map(({ severity, explanation }) => ({ critical: severity === 'critical', sentence: explanation })),
    ...slow.map((one) => ({ critical: false, sentence: slowSentence(one) })),
  ];
  if (things.length === 0) return { verdict: 'fine', summary: ['Nothing needs attention.'] };
  const critical = things.filter((thing) => thing.critical);
  const named = [...critical, ...things.filter((thing) => !thing.critical)].slice(0, NAMED);
  const count = things.length === 1 ? '1 thing needs' : `${times(things.length, 'thing')} need`;
  return {
    verdict: critical.length > 0 ? 'critical' : 'warning',
    summary: [`${count} attention.`, ...named.map(({ sentence }) => sentence)],
  };
}

function isOverspent({ budgetRemaining = 1, windows }: PerformanceReport['slos'][number]): boolean {
  return budgetRemaining < 0 && windows['3d'].bad >= LEAST_BAD;
}
