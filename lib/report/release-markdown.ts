import type {
  ChangedBelow,
  ReleaseOperation,
  ReleaseSide,
  ReleaseVerdict,
} from '../baseline/release-verdict.js';
import { wordsOfMeasure } from '../baseline/release-words.js';
import { figure } from '../text/quantities.js';
import { markdownText as text } from './markdown-text.js';
import { moment } from './report-words.js';

/** The rows of the table: a comment on a pull request has a limit, and the JSON has all of them. */
const MAX_ROWS = 50;
const HEAD = ['Verdict', 'Operation', 'Executions before / after', 'Changes'];

/** The verdict for a pull request or chat. Texts from the application are escaped. */
export function releaseMarkdown(release: ReleaseVerdict): string {
  const { verdict, explanation, service, before, after, operations, below } = release;
  const lines = [
    `# ${text(service)}: ${verdict}`,
    '',
    `**${text(explanation, 1000)}**`,
    ...(before === undefined || after === undefined
      ? []
      : [
          '',
          `${sideLine(after)}, compared with ${sideLine(before)}${release.isSameTime ? ', at the same time' : ''}.`,
        ]),
    ...tableOf(operations),
    ...(below.length === 0 ? [] : ['', '## What changed below', '', ...below.map(belowLine)]),
    ...(after === undefined
      ? []
      : [
          '',
          `A change matters from ${figure(release.minEffectPercent)} % and ${figure(release.minEffectMs)} ms; intervals have a confidence of 95 %.`,
        ]),
  ];
  return `${lines.join('\n')}\n`;
}

function sideLine({ version, from, to, count, instances }: ReleaseSide): string {
  const time = from === undefined || to === undefined ? '' : ` from ${moment(from)} to ${moment(to)}`;
  return `${text(version)} (${figure(count)} executions on ${instances} instance${instances === 1 ? '' : 's'}${time})`;
}

function tableOf(operations: readonly ReleaseOperation[]): string[] {
  if (operations.length === 0) return [];
  const rows = operations.slice(0, MAX_ROWS).map((operation) => {
    const { verdict, type, name, before, after, measures } = operation;
    const changed = measures.filter((one) => one.verdict === 'worse' || one.verdict === 'better');
    const shown = changed.length > 0 ? changed : measures.filter((one) => one.measure === 'median');
    const changes = shown.filter((one) => one.before !== undefined).map(wordsOfMeasure);
    const cells = [verdict, `${type} ${name}`, `${figure(before.count)} / ${figure(after.count)}`];
    return `| ${[...cells, changes.join('; ')].map((cell) => text(cell)).join(' | ')} |`;
  });
  const more = operations.length - rows.length;
  return [
    '',
    `| ${HEAD.join(' | ')} |`,
    `|${' --- |'.repeat(HEAD.length)}`,
    ...rows,
    ...(more > 0 ? ['', `${more} more: see the JSON.`] : []),
  ];
}

function belowLine(changed: ChangedBelow): string {
  return `- ${text(wordsOfBelow(changed))}`;
}

/** `database SELECT … FROM items: median 2 ms -> 5 ms, +150 % (+120 to +190 %); 1 -> 9.8 for each request` */
export function wordsOfBelow({ type, name, median, perRequest }: ChangedBelow): string {
  const parts = [
    ...(median === undefined ? [] : [wordsOfMeasure(median)]),
    ...(perRequest === undefined
      ? []
      : [`${figure(perRequest.before)} -> ${figure(perRequest.after)} for each request`]),
  ];
  return `${type} ${name}: ${parts.join('; ')}`;
}
