import { type MergedBaseline, mergeSnapshots } from '../baseline/baseline-merge.js';
import type { BaselineSnapshot } from '../baseline/baseline-snapshot.js';
import { type Comparison, compareBaselines } from '../baseline/compare-baselines.js';
import { printableJson } from '../text/printable.js';
import { formatValue } from '../validation/options-error.js';
import { own } from '../validation/own.js';
import type { Command } from './command.js';
import { SourceFault, snapshotsOf } from './compare-source.js';
import { asMarkdown, asText, summaryOf } from './compare-words.js';
import { EXIT, type Io, tell } from './io.js';
import { type CommandInput, oneOfOption as oneOf, UsageError } from './options.js';
import { TOKEN_VARIABLE } from './profile/endpoint-fault.js';
import { daysOf, modelReader } from './window-moments.js';

const FORMATS = ['text', 'json', 'markdown'] as const;
const FAIL_ON = ['regression', 'any', 'never'] as const;
/** What is old counts less only beside what is newer, and here all is of one version. */
const NO_DECAY_MS = Number.POSITIVE_INFINITY;

export const compare: Command = {
  usage: 'compare [options] BEFORE AFTER',
  description: `Compares two saved baselines: what got slower, faster, fails more, or makes more queries. BEFORE and AFTER are each a
file, a directory of them, or an application's address such as http://localhost:3000/performance/baseline.
Of several versions the one that was saved last is taken; where BEFORE and AFTER are the same, BEFORE is the one before.

The token, where endpoint.token asks for one, is taken from the environment variable ${TOKEN_VARIABLE}.

Exit codes: 0 no regression (or whatever --fail-on names), 1 one at least, 2 a wrong command line, file or answer.`,
  options: {
    'before-version': { value: 'VERSION', help: 'the service.version of BEFORE' },
    'after-version': { value: 'VERSION', help: 'the service.version of AFTER' },
    'min-effect': { value: 'PERCENT', help: 'the least change that is one; 10 if not given' },
    alpha: { value: 'SHARE', help: 'the share of verdicts that may be wrong; 0.05 if not given' },
    format: { value: 'FORMAT', help: 'text, json or markdown; text if not given' },
    'fail-on': { value: 'WHAT', help: 'regression, any (change) or never; regression if not given' },
  },
  async run(input, io) {
    const [before, after, ...more] = input.operands;
    if (before === undefined || after === undefined)
      throw new UsageError(`${before === undefined ? 'BEFORE' : 'AFTER'} is not given: give two baselines`);
    if (more.length > 0)
      throw new UsageError(`${formatValue(more[0])} is given after AFTER: give two baselines`);
    const { options } = input;
    const minEffectPercent = numberOf(options, 'min-effect', 0, 1000) ?? 10;
    const alpha = numberOf(options, 'alpha', 0, 1) ?? 0.05;
    const format = oneOf(options, 'format', FORMATS) ?? 'text';
    const failOn = oneOf(options, 'fail-on', FAIL_ON) ?? 'regression';
    const same = before === after;
    const one = await baselineOf(before, options['before-version'], same ? 1 : 0, io);
    const other = await baselineOf(after, options['after-version'], 0, io);
    if (one === undefined || other === undefined) return EXIT.failed;
    const comparison = compareBaselines(one, other, {
      minEffectPercent,
      alpha,
      readModel: modelReader(daysOf(one, other)),
    });
    if (comparison.operations.length === 0) {
      tell(
        io,
        'there are no operations in either baseline: an application learns from baseline.warmUpSeconds after its start on (180), and saves every minute',
      );
      return EXIT.failed;
    }
    io.stdout.write(written(comparison, format));
    if (format !== 'text') tell(io, summaryOf(comparison));
    if (failed(comparison, failOn)) return EXIT.found;
    const { slower, faster, no_change } = comparison.counts;
    if (failOn === 'never' || slower + faster + no_change > 0) return EXIT.fine;
    tell(io, 'no operation has enough in both baselines to be compared: let them learn for longer');
    return EXIT.failed;
  },
};

function written(comparison: Comparison, format: (typeof FORMATS)[number]): string {
  if (format === 'json') return `${printableJson(JSON.stringify(comparison, null, 2))}\n`;
  return format === 'markdown' ? asMarkdown(comparison) : asText(comparison);
}

function failed({ counts }: Comparison, failOn: (typeof FAIL_ON)[number]): boolean {
  if (failOn === 'never') return false;
  const changed = counts.faster + counts.new + counts.gone;
  return counts.slower > 0 || (failOn === 'any' && changed > 0);
}

/** @param place of the version among those there are, where none is asked for; the last one is 0 */
async function baselineOf(
  given: string,
  version: string | true | undefined,
  place: number,
  io: Io,
): Promise<MergedBaseline | undefined> {
  try {
    return chosen(await snapshotsOf(given), version, place);
  } catch (error) {
    if (!(error instanceof SourceFault)) throw error;
    tell(io, `${given}: ${error.message}`);
    return undefined;
  }
}

function chosen(
  snapshots: readonly BaselineSnapshot[],
  version: string | true | undefined,
  place: number,
): MergedBaseline {
  const at = Math.max(...snapshots.map(({ savedAt }) => savedAt));
  const merged = mergeSnapshots(snapshots, { at, halfLifeMs: NO_DECAY_MS });
  const found = version === undefined ? merged[place] : merged.find((one) => one.version === version);
  if (found !== undefined) return found;
  const there = merged.map((one) => one.version ?? 'none').join(', ');
  throw new SourceFault(
    version === undefined
      ? `holds one version alone (${there}): give another baseline`
      : `has no version ${formatValue(version)}: there are ${there}`,
  );
}

function numberOf(
  options: CommandInput['options'],
  name: string,
  min: number,
  max: number,
): number | undefined {
  const given = own(options, name);
  if (given === undefined) return undefined;
  const value = /^\d+(\.\d+)?$/.test(String(given)) ? Number(given) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(
    `--${name} is ${formatValue(given)}, which is not allowed: give a number from ${min} to ${max}`,
  );
}
