import { times } from '../explain/words.js';
import type { PerformanceReport } from './report.js';

/** The things that are named in the summary. */
const NAMED = 3;

interface Attention {
  readonly critical: boolean;
  readonly sentence: string;
}

/** The verdict, and some sentences that begin with it. */
export function summarize(
  content: Pick<PerformanceReport, 'slow' | 'regressions' | 'findings' | 'leaks' | 'alerts'>,
): Pick<PerformanceReport, 'verdict' | 'summary'> {
  const { slow, regressions, findings, leaks, alerts } = content;
  const things: Attention[] = [
    ...alerts.map(({ rule, subject }) => ({
      critical: true,
      sentence: `The alert ${rule}${subject === undefined ? '' : ` (${subject})`} fires.`,
    })),
    ...leaks.map(({ state, explanation }) => ({ critical: state === 'confirmed', sentence: explanation })),
    ...regressions
      .filter(({ state }) => state === 'open')
      .map(({ explanation }) => ({ critical: false, sentence: explanation })),
    ...findings
      .filter(({ severity }) => severity !== 'info')
      .map(({ severity, explanation }) => ({ critical: severity === 'critical', sentence: explanation })),
    ...slow.map(({ name, explanation }) => ({ critical: false, sentence: `${name}: ${explanation}` })),
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
