import { SEVERITIES, type Severity } from '../../explain/finding.js';
import type { RepetitionLimits } from '../../explain/repetition.js';
import { times } from '../../explain/words.js';
import { findFaults } from '../../monitor/resolve-options.js';
import { printableJson } from '../../text/printable.js';
import { formatValue, invalid } from '../../validation/options-error.js';
import { type Command, EXIT, type Io, logLine } from '../command.js';
import { type CommandInput, UsageError } from '../options.js';
import { Analysis } from './analysis.js';
import { findingsTable } from './findings-table.js';
import { InputFault } from './input-fault.js';

/** The defaults of detection.nPlusOne. */
const DEFAULTS: RepetitionLimits = { minRepetitions: 5, minTotalMs: 25 };
const FAIL_ON = [...SEVERITIES, 'never'] as const;

export const analyze: Command = {
  usage: 'analyze [options] FILE…',
  description: `Finds N+1 queries, identical queries and sequential calls in recorded traces, with the detectors of the live
library. FILE is OTLP JSON, as written by the file exporter of the OpenTelemetry Collector, or traces as Tempo and
Jaeger return them in JSON: one object, one per line, or an array, plain or gzipped, of any size; - is stdin.

Writes a table to a terminal, else JSON. Warnings go to stderr.

Exit codes: 0 no finding reaches --fail-on, 1 at least one does, 2 the files could not be analyzed, or none of what
they contain.`,
  options: {
    'fail-on': {
      value: 'SEVERITY',
      help: `exit with 1 from this severity: ${FAIL_ON.join(', ')} (default warning)`,
    },
    'min-repetitions': {
      value: 'N',
      help: `minimum repetitions within one request (default ${DEFAULTS.minRepetitions})`,
    },
    'min-total-ms': {
      value: 'N',
      help: `minimum total time of repetitions in ms (default ${DEFAULTS.minTotalMs})`,
    },
    json: { help: 'write JSON even to a terminal' },
    table: { help: 'write a table even to a file or pipe' },
  },
  run,
};

async function run({ operands, options }: CommandInput, io: Io): Promise<number> {
  const failOn = severityOf(options['fail-on']);
  const limits = limitsOf(options);
  if (options['json'] !== undefined && options['table'] !== undefined)
    throw new UsageError('Invalid --json with --table: expected one of them');
  if (operands.length === 0) throw new UsageError('Missing FILE: expected files, or - for stdin');
  const analysis = new Analysis(limits);
  for (const file of operands) {
    const name = file === '-' ? 'stdin' : file;
    try {
      if ((await analysis.read(file, io.stdin)) === 0) logLine(io, `${name}: contains no spans`);
    } catch (error) {
      if (!(error instanceof InputFault)) throw error;
      logLine(io, `${error.line === undefined ? name : `${name}:${error.line}`}: ${error.reason}`);
      return EXIT.failed;
    }
  }
  analysis.end();
  warn(analysis, io);
  const nothing = whyNothing(analysis);
  if (nothing !== undefined) {
    logLine(io, `Nothing to analyze: ${nothing}`);
    return EXIT.failed;
  }
  const { findings } = analysis;
  const table = options['table'] !== undefined || (options['json'] === undefined && io.stdout.isTTY === true);
  io.stdout.write(
    table
      ? findingsTable(findings, analysis)
      : `${printableJson(JSON.stringify(findings.list(), null, 2))}\n`,
  );
  return failOn !== 'never' && findings.reaches(failOn) ? EXIT.found : EXIT.fine;
}

function severityOf(given: string | true | undefined): Severity | 'never' {
  const severity = FAIL_ON.find((one) => one === (given ?? 'warning'));
  if (severity === undefined)
    throw new UsageError(invalid('--fail-on', formatValue(given), `one of ${FAIL_ON.join(', ')}`));
  return severity;
}

/** Validated like the options of the live library. */
function limitsOf(options: CommandInput['options']): RepetitionLimits {
  const limits = { ...DEFAULTS };
  const names = { minRepetitions: 'min-repetitions', minTotalMs: 'min-total-ms' } as const;
  for (const key of ['minRepetitions', 'minTotalMs'] as const) {
    const given = options[names[key]];
    if (given === undefined) continue;
    const value = String(given).trim() === '' ? Number.NaN : Number(given);
    const [fault] = findFaults({ detection: { nPlusOne: { [key]: value } } });
    if (fault !== undefined)
      throw new UsageError(invalid(`--${names[key]}`, formatValue(given), fault.allowed));
    limits[key] = value;
  }
  return limits;
}

/** Why nothing was judged, if nothing was: without data the check must not pass. */
function whyNothing({
  spans,
  requests,
  judged,
  malformed,
  withoutAttributes,
  unjudged,
}: Analysis): string | undefined {
  if (spans === malformed + withoutAttributes) return 'no spans were read';
  if (requests === 0)
    return `no request among ${times(spans, 'span')}. Only work within a span of kind SERVER or CONSUMER is analyzed`;
  return judged === 0 && unjudged > 0 ? 'none of the work within requests could be judged' : undefined;
}

/** Reports data that could not be analyzed, so that its absence from the findings is not taken for success. */
function warn(analysis: Analysis, io: Io): void {
  const { malformed, withoutAttributes, others, traces, findings } = analysis;
  for (const [service, count] of analysis.withoutStatement)
    logLine(
      io,
      `${times(count, 'database span')} of ${service} without a statement: repetitions cannot be detected. Configure its instrumentation to record db.query.text.`,
    );
  for (const [service, count] of analysis.withoutAddress)
    logLine(
      io,
      `${times(count, 'outgoing call')} of ${service} without an address: repetitions cannot be detected. Configure its instrumentation to record url.full.`,
    );
  for (const [service, count] of analysis.outside)
    logLine(
      io,
      `${times(count, 'span')} of ${service} not analyzed: they belong to no request, or it is not certain to which`,
    );
  if (malformed > 0)
    logLine(io, `${times(malformed, 'span')} ignored: missing ids or times, or an end before the start`);
  if (withoutAttributes > 0)
    logLine(
      io,
      `${times(withoutAttributes, 'span')} ignored: received attributes that are no array, expected [{ "key": …, "value": { … } }]`,
    );
  if (others > 0) logLine(io, `${times(others, 'export')} of logs, metrics or profiles ignored`);
  if (traces.early > 0)
    logLine(
      io,
      `${times(traces.early, 'trace')} analyzed before the end of the input to limit memory: later spans were analyzed separately`,
    );
  if (findings.omitted > 0)
    logLine(io, `${times(findings.omitted, 'finding')} omitted: those with the least total time`);
}
