import type { ProcessChange } from '../../baseline/process-change.js';
import type { ReleaseOperation, ReleaseSide } from '../../baseline/release-verdict.js';
import { wordsOfMeasure, wordsOfMemory } from '../../baseline/release-words.js';
import { wordsOfBelow } from '../../report/release-markdown.js';
import { figure, moment } from '../../text/quantities.js';
import { text } from '../arguments.js';
import { code, prose } from '../markdown.js';
import { releaseAgainst } from '../release.js';
import { contains, headOf, limit, selected } from '../selection.js';
import { tool } from '../tool.js';

export const getReleaseVerdict = tool({
  name: 'get_release_verdict',
  title: 'Release verdict',
  description:
    'Is the running service.version better or worse than another one? The verdict as a whole, for each incoming operation and for the memory of the process (better, worse, same, not enough data), with intervals, and which statements and calls below them got slower. By the data that all instances store.',
  arguments: {
    version: text('The service.version to compare with. Default: the other one that saved last'),
    operation: text('Only operations whose name contains this'),
    limit,
  },
  answer: async ({ version, operation, limit: max }, context) => {
    const release = await releaseAgainst(context, version);
    const { verdict, explanation, before, after, operations, process, below, ...rest } = release;
    const selection = selected(operations, ({ name }) => contains(name, operation), max);
    const { links } = context;
    return {
      lines: [
        `**${verdict}**: ${prose(explanation)}`,
        ...[after, before].flatMap((side) => (side === undefined ? [] : [`- ${sideWords(side)}`])),
        ...(operations.length === 0 ? [] : ['', `Incoming operations: ${headOf(selection, 'operation')}`]),
        ...selection.shown.map(operationWords),
        ...(process === undefined ? [] : ['', processWords(process)]),
        ...(below.length === 0 ? [] : ['', 'What changed below them:']),
        ...below.map((changed) => `- ${prose(wordsOfBelow(changed))}`),
        ...(links.overview === undefined ? [] : ['', `Page: ${links.overview}`]),
      ],
      data: {
        verdict,
        explanation,
        before,
        after,
        matching: selection.matching,
        operations: selection.shown,
        process,
        below,
        ...rest,
        page: links.overview,
      },
    };
  },
});

function sideWords({ version, from, to, count, instances }: ReleaseSide): string {
  const time = from === undefined || to === undefined ? '' : `, ${moment(from)} to ${moment(to)}`;
  return `${code(version)}: ${figure(count)} executions on ${instances} instance${instances === 1 ? '' : 's'}${time}`;
}

function processWords({ verdict, measures }: ProcessChange): string {
  return `Memory of the process: ${verdict}: ${prose(measures.map(wordsOfMemory).join('; '))}`;
}

function operationWords({ verdict, type, name, before, after, measures }: ReleaseOperation): string {
  const known = measures.filter(({ before: value }) => value !== undefined);
  const changed = known.filter((one) => one.verdict === 'worse' || one.verdict === 'better');
  const shown = changed.length > 0 ? changed : known.filter(({ measure }) => measure === 'median');
  const words = shown.map((one) => prose(wordsOfMeasure(one))).join('; ');
  return `- ${verdict}: ${code(name)} (${type}), ${figure(before.count)} executions before and ${figure(after.count)} after${words === '' ? '' : `: ${words}`}`;
}
