import { type MergedBaseline, mergeSnapshots } from '../baseline/baseline-merge.js';
import type { BaselineSnapshot } from '../baseline/baseline-snapshot.js';
import { type Comparison, compareBaselines } from '../baseline/compare-baselines.js';
import { printableJson } from '../text/printable.js';
import { formatValue, invalid } from '../validation/options-error.js';
import { own } from '../validation/own.js';
import { type Command, EXIT, type Io, logLine } from './command.js';
import { SourceFault, snapshotsOf } from './compare-source.js';
import { asMarkdown, asText, summaryOf } from './compare-words.js';
import { TOKEN_VARIABLE } from './endpoint-request.js';
import { type CommandInput, oneOfOption as oneOf, UsageError } from './options.js';
import { daysOf, modelReader } from './window-moments.js';

const FORMATS = ['text', 'json', 'markdown'] as const;
const FAIL_ON = ['regression', 'any', 'never'] as const;
/** Data of one version is not weighted by age. */
const NO_DECAY_MS = Number.POSITIVE_INFINITY;

export const compare: Command = {
  usage: 'compare [options] BEFORE AFTER',
  description: `Compares two baselines: changes of latency, failures and queries per operation. BEFORE and AFTER are each a file, a
directory of baseline files, or the address of an application such as http://localhost:3000/performance/baseline.
The version saved last is used. If BEFORE and AFTER are the same, BEFORE is the previous version.

If endpoint.token is set, pass the token in the environment variable ${TOKEN_VARIABLE}.

Exit codes: 0 no regression (see --fail-on), 1 at least one regression, 2 invalid arguments, files or responses.`,
  options: {
    'before-version': { value: 'VERSION', help: 'service.version of BEFORE (default: see above)' },
    'after-version': { value: 'VERSION', help: 'service.version of AFTER (default: saved last)' },
    'min-effect': { value: 'PERCENT', help: 'minimum change in percent (default 10)' },
    alpha: { value: 'SHARE', help: 'expected share of wrong verdicts, 0 to 1 (default 0.05)' },
    format: { value: 'FORMAT', help: 'text, json or markdown (default text)' },
    'fail-on': {
      value: 'WHAT',
      help: 'exit with 1 on: regression, any (change) or never (default regression)',
    },
  },
  async run(input, io) {
    const [before, after, ...more] = input.operands;
    if (before === undefined || after === undefined)
      throw new UsageError(`Missing ${before === undefined ? 'BEFORE' : 'AFTER'}: expected two baselines`);
    if (more.length > 0)
      throw new UsageError(`Unexpected argument ${formatValue(more[0])}: expected two baselines`);
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
      logLine(
        io,
        'Neither baseline contains operations: applications learn from baseline.warmUpSeconds (180 s) after the start, and save every minute',
      );
      return EXIT.failed;
    }
    io.stdout.write(written(comparison, format));
    if (format !== 'text') logLine(io, summaryOf(comparison));
    if (failed(comparison, failOn)) return EXIT.found;
    const { slower, faster, no_change } = comparison.counts;
    if (failOn === 'never' || slower + faster + no_change > 0) return EXIT.fine;
    logLine(io, 'No operation has enough data in both baselines: let the applications learn for longer');
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

/** @param place the index of the version if none is requested; 0 is the last saved */
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
    logLine(io, `${given}: ${error.message}`);
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
      ? `contains only one version (${there}): expected another baseline`
      : `contains no version ${formatValue(version)}: expected one of ${there}`,
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
  throw new UsageError(invalid(`--${name}`, formatValue(given), `a number from ${min} to ${max}`));
}
