import { getHeapStatistics } from 'node:v8';
import type { Finding } from '../explain/finding.js';
import type { SlowOperation } from '../explain/slow-operation.js';
import type { Instance } from '../operation/instance.js';
import type { ResourceSampler } from '../process/resource-sampler.js';
import type { Statistics } from '../statistics/statistics.js';
import { round } from '../text/round.js';
import { figuresOf } from './figures.js';
import {
  type InstanceProcess,
  type InstanceSummary,
  MAX_FINDINGS,
  MAX_OPERATIONS,
  MAX_TEXT,
  MAX_TYPES,
  type OperationFigures,
  type SlowHead,
  type TypeFigures,
} from './instance-summary.js';

/** What a summary is made of. */
export interface SummarySources {
  readonly service: string;
  readonly version: string | undefined;
  readonly instance: Instance;
  readonly statistics: Statistics;
  readonly resources: ResourceSampler;
  countingSince(): number;
  /** Those with the most time first. */
  findings(limit: number): Finding[];
}

/** What the publisher counts. */
export type Publication = Pick<InstanceSummary, 'publishedAt' | 'sequence' | 'intervalMs' | 'slow'>;

const MB = 1024 * 1024;
/** CPU time is averaged over so long. */
const CPU_MS = 5000;
/** Names that are looked at in one piece. */
const PIECE = 256;

/**
 * Summarises this process in pieces.
 * @param now milliseconds on the clock of `performance.now()`
 */
export function* summarizing(
  sources: SummarySources,
  publication: Publication,
  now: number,
): Generator<void, InstanceSummary> {
  const { service, version, instance, statistics, resources } = sources;
  const types: TypeFigures[] = [];
  for (const { type, statistics: ofType } of statistics.allTypes()) {
    if (types.length === MAX_TYPES) break;
    types.push({
      type,
      minute: figuresOf(ofType, 'minute', now),
      lifetime: figuresOf(ofType, 'lifetime', now),
    });
    yield;
  }
  const operations: OperationFigures[] = [];
  const most = yield* mostTime(statistics);
  for (const { type, name, statistics: named } of most) {
    operations.push({
      ...{ type, name },
      ...(Number.isFinite(named.limitMs) ? { thresholdMs: round(named.limitMs) } : {}),
      excessMs: round(named.excessMs),
      minute: figuresOf(named, 'minute', now),
      lifetime: figuresOf(named, 'lifetime', now),
    });
    yield;
  }
  return {
    service,
    ...{ key: instance.key, id: instance.id },
    ...(version === undefined ? {} : { version }),
    ...{ host: instance.host, pid: instance.pid },
    ...(instance.worker === undefined ? {} : { worker: instance.worker }),
    startedAt: instance.startedAt,
    countingSince: sources.countingSince(),
    ...publication,
    process: processOf(resources),
    types,
    operations,
    operationCount: statistics.nameCount,
    findings: sources.findings(MAX_FINDINGS).map(shortFinding),
  };
}

type Named = ReturnType<Statistics['all']> extends Iterable<infer One> ? One : never;

/** The operations with the most total time. Never sorts all of them at once. */
function* mostTime(statistics: Statistics): Generator<void, Named[]> {
  let most: Named[] = [];
  const keep = (): void => {
    most = most.sort((a, b) => b.statistics.totalMs - a.statistics.totalMs).slice(0, MAX_OPERATIONS);
  };
  for (const named of statistics.all()) {
    if (most.push(named) < MAX_OPERATIONS + PIECE) continue;
    keep();
    yield;
  }
  keep();
  return most;
}

function processOf(resources: ResourceSampler): InstanceProcess {
  const { memory, eventLoop } = resources.current();
  const newest = resources.history.last();
  const before = resources.history.earlier(CPU_MS);
  const process: InstanceProcess = {
    rssMb: round(memory.rss / MB),
    heapUsedMb: round(memory.heapUsed / MB),
    heapLimitMb: round(getHeapStatistics().heap_size_limit / MB),
  };
  if (newest !== undefined && before !== undefined && newest.at > before.at) {
    const cpuMs = newest.cpuUserMs + newest.cpuSystemMs - before.cpuUserMs - before.cpuSystemMs;
    process.cpuPercent = round(Math.max(0, (cpuMs / (newest.at - before.at)) * 100));
  }
  const { utilization } = eventLoop;
  if (utilization !== undefined) process.eventLoopUtilization = Math.min(1, Math.max(0, utilization));
  return process;
}

/** Without its plan, and with texts of limited length. */
function shortFinding({ plan: _plan, ...finding }: Finding): Finding {
  const { fingerprint, explanation, error } = finding;
  return {
    ...finding,
    fingerprint: shortText(fingerprint),
    explanation: shortText(explanation),
    ...(error === undefined ? {} : { error: { ...error, message: shortText(error.message) } }),
  };
}

/** The part of a slow operation by which it is listed. */
export function slowHead(operation: SlowOperation): SlowHead {
  const { id, timestamp, type, name, durationMs, thresholdMs, error, cause, explanation } = operation;
  return {
    ...{ id, timestamp, type, name, durationMs, thresholdMs, error, cause },
    explanation: shortText(explanation),
  };
}

function shortText(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
}
