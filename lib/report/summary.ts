import { times } from '../explain/words.js';
import { percent } from '../text/quantities.js';
import type { PerformanceReport } from './report.js';
import { slowSentence } from './report-words.js';

/** The number of problems that the summary names. */
const NAMED = 3;
/** Fewer bad operations are not reported, however small the budget. */
const LEAST_BAD = 3;

interface Attention {
  readonly critical: boolean;
  readonly sentence: string;
}

/** The verdict, and sentences that justify it. */
export function summarize(
  content: Pick<PerformanceReport, 'slow' | 'regressions' | 'findings' | 'leaks' | 'alerts' | 'slos'>,
): Pick<PerformanceReport, 'verdict' | 'summary'> {
  const { slow, regressions, findings, leaks, alerts, slos } = content;
  const problems: Attention[] = [
    ...alerts.map(({ rule, subject }) => ({
      critical: true,
      sentence: `Alert ${rule}${subject === undefined ? '' : ` (${subject})`} is firing.`,
    })),
    ...leaks.map(({ state, explanation }) => ({ critical: state === 'confirmed', sentence: explanation })),
    ...regressions
      .filter(({ state }) => state === 'open')
      .map(({ explanation }) => ({ critical: false, sentence: explanation })),
    ...slos.filter(isOverspent).map(({ slo, objective, windows }) => ({
      critical: false,
      sentence: `Objective ${slo} has spent its error budget: ${windows['3d'].bad} of ${windows['3d'].total} operations in 3 days were bad (allowed: ${percent(1 - objective)}).`,
    })),
    ...findings
      .filter(({ severity }) => severity !== 'info')
      .map(({ severity, explanation }) => ({ critical: severity === 'critical', sentence: explanation })),
    ...slow.map((one) => ({ critical: false, sentence: slowSentence(one) })),
  ];
  if (problems.length === 0) return { verdict: 'fine', summary: ['Nothing needs attention.'] };
  const critical = problems.filter((problem) => problem.critical);
  const named = [...critical, ...problems.filter((problem) => !problem.critical)].slice(0, NAMED);
  const count = problems.length === 1 ? '1 problem needs' : `${times(problems.length, 'problem')} need`;
  return {
    verdict: critical.length > 0 ? 'critical' : 'warning',
    summary: [`${count} attention.`, ...named.map(({ sentence }) => sentence)],
  };
}

function isOverspent({ budgetRemaining = 1, windows }: PerformanceReport['slos'][number]): boolean {
  return budgetRemaining < 0 && windows['3d'].bad >= LEAST_BAD;
}
