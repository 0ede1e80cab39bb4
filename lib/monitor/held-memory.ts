import type { RequestAnalyzer } from '../explain/request-analyzer.js';
import type { Metrics } from '../metrics/metrics.js';
import type { MemoryPart } from '../overhead/memory-budget.js';
import type { ResourceSampler } from '../process/resource-sampler.js';
import type { Profiling } from '../profiling/profiling.js';
import type { RequestLines } from '../spans/request-lines.js';
import { knownStatements } from '../spans/statement.js';
import type { Statistics } from '../statistics/statistics.js';
import type { ResolvedOptions } from './options.js';
import type { SlowOperations } from './slow-operations.js';

/** Bytes of one entry, measured as heap and buffers of many divided by their number: see bench/README.md. */
const OPERATION = 4_100;
const OPERATION_WITH_HISTORY = 10_800;
const SLOW_OPERATION = 3_000;
const SPAN = 120;
const QUERY = 2_600;
const FINDING = 1_500;
const STATEMENT = 1_200;
const SERIES = 1_700;
/** A line of a kept log, and a character of those of running requests. */
const LOG_LINE = 400;
const CHARACTER = 1;
const READING = 14 * 8;

/** The parts that hold memory. */
export interface HoldingParts {
  readonly options: ResolvedOptions;
  readonly statistics: Statistics;
  readonly slow: SlowOperations;
  readonly analyzer: RequestAnalyzer;
  readonly resources: ResourceSampler;
  readonly profiling: Profiling;
  readonly metrics: Metrics;
  readonly lines?: RequestLines | undefined;
}

/** All buffers and tables of a monitor. Those that can be rebuilt from new requests can be reduced. */
export function heldMemory(parts: HoldingParts): MemoryPart[] {
  const { options, statistics, slow, analyzer, resources, profiling, metrics, lines } = parts;
  const { sources, findings } = analyzer;
  const table = (name: string, entries: () => number, size: number, bounds?: Bounds): MemoryPart => ({
    name,
    entries,
    bytes: () => entries() * size,
    ...bounds,
  });
  return [
    {
      name: 'profiles',
      bytes: () => profiling.status.bytes,
      entries: () => profiling.status.windows,
      shrink: () => profiling.limit(profiling.status.bytes / 2),
      restore: () => profiling.limit(Number.POSITIVE_INFINITY),
    },
    table('waterfalls', () => slow.spans, SPAN, {
      shrink: () => slow.limitSpans(Math.floor(slow.spans / 2)),
      restore: () => slow.limitSpans(Number.POSITIVE_INFINITY),
    }),
    {
      name: 'logLines',
      bytes: () => slow.logLines * LOG_LINE + (lines?.characters ?? 0) * CHARACTER,
      entries: () => slow.logLines,
      shrink: () => slow.limitLogLines(Math.floor(slow.logLines / 2)),
      restore: () => slow.limitLogLines(Number.POSITIVE_INFINITY),
    },
    table('slowOperations', () => slow.size, SLOW_OPERATION, {
      shrink: () => slow.limit(Math.floor(slow.size / 2)),
      restore: () => slow.limit(Number.POSITIVE_INFINITY),
    }),
    table(
      'operations',
      () => statistics.nameCount,
      options.baseline.enabled ? OPERATION_WITH_HISTORY : OPERATION,
    ),
    table('queries', () => analyzer.queryCount, QUERY),
    table('findings', () => findings.size, FINDING),
    table('statements', () => knownStatements.size, STATEMENT),
    table('series', () => metrics.series, SERIES),
    table('resources', () => resources.history.length, READING),
    { name: 'sourceMaps', bytes: () => sources.bytes, entries: () => sources.size },
  ];
}

type Bounds = Required<Pick<MemoryPart, 'shrink' | 'restore'>>;
