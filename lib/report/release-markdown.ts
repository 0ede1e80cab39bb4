import type { ProcessChange } from '../baseline/process-change.js';
import type {
  ChangedBelow,
  ReleaseOperation,
  ReleaseSide,
  ReleaseVerdict,
} from '../baseline/release-verdict.js';
import { wordsOfMeasure, wordsOfMemory } from '../baseline/release-words.js';
import { figure, moment } from '../text/quantities.js';
import { markdownText as text } from './markdown-text.js';

/** The rows of the table: a comment on a pull request has a limit, and the JSON has all of them. */
const MAX_ROWS = 50;
const HEAD = ['Verdict', 'Operation', 'Executions before / after', 'Changes'];

/** The verdict for a pull request or chat. Texts from the application are escaped. */
export function releaseMarkdown(release: ReleaseVerdict): string {
  const { verdict, explanation, service, before, after, operations, process, below } = release;
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
    ...tableOf(operations, process),
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

function tableOf(operations: readonly ReleaseOperation[], process: ProcessChange | undefined): string[] {
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
  if (process !== undefined) rows.push(processRow(process));
  return [
    '',
    `| ${HEAD.join(' | ')} |`,
    `|${' --- |'.repeat(HEAD.length)}`,
    ...rows,
    ...(more > 0 ? ['', `${more} more: see the JSON.`] : []),
  ];
}

/** The memory of the processes as a row of its own. */
function processRow({ verdict, measures }: ProcessChange): string {
  const numbers = measures.map(
    ({ before, after }) => [before?.processes ?? 0, after?.processes ?? 0] as const,
  );
  const [one, other] = [0, 1].map((side) => Math.max(...numbers.map((both) => both[side] as number)));
  const cells = [
    verdict,
    'the process',
    `${one} / ${other} processes`,
    measures.map(wordsOfMemory).join('; '),
  ];
  return `| ${cells.map((cell) => text(cell)).join(' | ')} |`;
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
