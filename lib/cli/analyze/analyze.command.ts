import { SEVERITIES, type Severity } from '../../explain/finding.js';
import type { RepetitionLimits } from '../../explain/repetition.js';
import { times } from '../../explain/words.js';
import { findFaults } from '../../monitor/resolve-options.js';
import { printableJson } from '../../text/printable.js';
import { formatValue } from '../../validation/options-error.js';
import type { Command } from '../command.js';
import { EXIT, type Io, tell } from '../io.js';
import { type CommandInput, UsageError } from '../options.js';
import { Analysis } from './analysis.js';
import { findingsTable } from './findings-table.js';
import { InputFault } from './input-fault.js';

/** As in the live library. */
const DEFAULTS: RepetitionLimits = { minRepetitions: 5, minTotalMs: 25 };
const FAIL_ON = [...SEVERITIES, 'never'] as const;

export const analyze: Command = {
  usage: 'analyze [options] FILE…',
  description: `Finds N+1 queries, identical queries and sequential calls in recorded traces, with the detectors that
run in the live library. FILE is OTLP JSON, as the file exporter of the OpenTelemetry Collector writes it: one
object or one a line, plain or gzip; - is stdin. Any size will do.

Writes a table on a terminal, else JSON. Warnings go to stderr. Ends with 0 when nothing was found that reaches
--fail-on, with 1 when something was, and with 2 when the files could not be judged.`,
  options: {
    'fail-on': {
      value: 'SEVERITY',
      help: `end with 1 from this severity on: ${FAIL_ON.join(', ')} (default warning)`,
    },
    'min-repetitions': {
      value: 'N',
      help: `repetitions within one request from which on they are told (default ${DEFAULTS.minRepetitions})`,
    },
    'min-total-ms': {
      value: 'N',
      help: `milliseconds that repetitions must take together (default ${DEFAULTS.minTotalMs})`,
    },
    json: { help: 'write JSON, on a terminal too' },
    table: { help: 'write the table, elsewhere too' },
  },
  run,
};

async function run({ operands, options }: CommandInput, io: Io): Promise<number> {
  const failOn = severityOf(options['fail-on']);
  const limits = limitsOf(options);
  if (options['json'] !== undefined && options['table'] !== undefined)
    throw new UsageError('--json and --table are given together: give one of them');
  if (operands.length === 0) throw new UsageError('no file is given: give FILE…, or - for stdin');
  const analysis = new Analysis(limits);
  for (const file of operands) {
    const name = file === '-' ? 'stdin' : file;
    try {
      if ((await analysis.read(file, io.stdin)) === 0) tell(io, `${name}: holds no spans`);
    } catch (error) {
      if (!(error instanceof InputFault)) throw error;
      tell(io, `${error.line === undefined ? name : `${name}:${error.line}`}: ${error.reason}`);
      return EXIT.failed;
    }
  }
  analysis.end();
  warn(analysis, io);
  // A gate that nothing has come to must not open.
  if (analysis.spans === analysis.malformed) {
    tell(io, 'There is nothing to judge: no spans were read');
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
    throw new UsageError(
      `--fail-on is ${formatValue(given)}, which is not allowed: give one of ${FAIL_ON.join(', ')}`,
    );
  return severity;
}

/** Checked as the options of the live library are. */
function limitsOf(options: CommandInput['options']): RepetitionLimits {
  const limits = { ...DEFAULTS };
  const names = { minRepetitions: 'min-repetitions', minTotalMs: 'min-total-ms' } as const;
  for (const key of ['minRepetitions', 'minTotalMs'] as const) {
    const given = options[names[key]];
    if (given === undefined) continue;
    const value = String(given).trim() === '' ? Number.NaN : Number(given);
    const [fault] = findFaults({ detection: { nPlusOne: { [key]: value } } });
    if (fault !== undefined)
      throw new UsageError(
        `--${names[key]} is ${formatValue(given)}, which is not allowed: give ${fault.allowed}`,
      );
    limits[key] = value;
  }
  return limits;
}

/** Says what could not be judged: that nothing was found there means nothing. */
function warn(analysis: Analysis, io: Io): void {
  const { malformed, others, traces, findings, spans, requests } = analysis;
  for (const [service, count] of analysis.unknownByService())
    tell(
      io,
      `${times(count, 'database span')} of ${service} carry no statement: repetitions among them can't be seen. Let its instrumentation record db.query.text.`,
    );
  if (malformed > 0)
    tell(io, `${times(malformed, 'span')} left out: without ids or times, or ending before the start`);
  if (others > 0) tell(io, `${times(others, 'export')} of logs, metrics or profiles left out`);
  if (traces.early > 0)
    tell(
      io,
      `${times(traces.early, 'trace')} judged before the end of the input to keep memory bounded: what came later of them was judged apart`,
    );
  if (spans > malformed && requests === 0)
    tell(
      io,
      `No request among ${times(spans, 'span')}: only what runs within a SERVER or CONSUMER span is judged`,
    );
  if (findings.leftOut > 0)
    tell(io, `${times(findings.leftOut, 'finding')} left out: those that cost the least time`);
}
