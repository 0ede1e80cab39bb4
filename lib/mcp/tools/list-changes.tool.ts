import { moment as momentText, percent } from '../../text/quantities.js';
import { oneOf, text } from '../arguments.js';
import { code, prose } from '../markdown.js';
import { contains, DEFAULT_LIMIT, headOf, limit, selected } from '../selection.js';
import { tool } from '../tool.js';

const KINDS = ['regression', 'trend', 'leak'] as const;

export const listChanges = tool({
  name: 'list_regressions_and_leaks',
  title: 'Regressions, trends and leaks',
  description:
    'What got worse over time: operations that became slower, fail more or run more statements than their baseline or the previous version (with confidence interval), slow rises, and memory that is not released (with suspects).',
  arguments: {
    kind: oneOf('Only these', KINDS),
    operation: text('Only those of operations whose name contains this'),
    state: oneOf('Of regressions: open (still worse) or over', ['open', 'over']),
    limit,
  },
  answer: ({ kind, operation, state, limit: max = DEFAULT_LIMIT }, { monitor, links }) => {
    const wants = (one: (typeof KINDS)[number]): boolean => kind === undefined || kind === one;
    const regressions = selected(
      wants('regression') ? monitor.getRegressions() : [],
      (one) => contains(one.name, operation) && (state === undefined || one.state === state),
      max,
    );
    const trends = selected(
      wants('trend') ? monitor.getTrends() : [],
      ({ subject }) => contains(subject.name, operation),
      max,
    );
    const leaks = selected(
      wants('leak') ? monitor.getLeaks() : [],
      ({ suspects }) => operation === undefined || suspects.some(({ name }) => contains(name, operation)),
      max,
    );
    const { state: learning, operations } = monitor.longTerm.baseline.status;
    return {
      lines: [
        ...(wants('regression') ? [`Regressions: ${headOf(regressions, 'regression')}`] : []),
        ...regressions.shown.map(
          (one) =>
            `- ${one.state} since ${momentText(one.since)}: ${code(one.name)} (${one.type}), ${prose(one.explanation)} Change ${percent(one.change)}, 95 % interval ${percent(one.interval[0])} to ${percent(one.interval[1])}.`,
        ),
        ...(wants('trend') ? [`Trends: ${headOf(trends, 'trend')}`] : []),
        ...trends.shown.map(({ explanation }) => `- ${prose(explanation)}`),
        ...(wants('leak') ? [`Leaks: ${headOf(leaks, 'leak')}`] : []),
        ...leaks.shown.map(({ state: certainty, explanation }) => `- ${certainty}: ${prose(explanation)}`),
        learning === 'off'
          ? 'Baselines are off (baseline.enabled), so no regression can be found.'
          : `Baselines exist for ${operations} operations. Without enough data nothing is reported, which does not mean that nothing changed.`,
      ],
      data: {
        regressions: regressions.shown,
        trends: trends.shown,
        leaks: leaks.shown,
        baseline: monitor.longTerm.baseline.status,
        page: links.overview,
      },
    };
  },
});
