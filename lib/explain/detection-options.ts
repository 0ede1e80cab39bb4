import { PLAN_OPTIONS, type PlanOptions, type ResolvedPlanOptions } from '../plans/plan-options.js';
import {
  EVENT_LOOP_BLOCK_OPTIONS,
  type EventLoopBlockOptions,
  type ResolvedEventLoopBlockOptions,
} from '../process/resource-options.js';
import { boolean, milliseconds, whole } from '../validation/checks.js';
import type { Complete } from '../validation/complete.js';
import { type OptionTable, option } from '../validation/option-table.js';

/** What is detected, and how much of it is kept. */
export interface DetectionOptions {
  /** Operations with statistics of their own. The others are counted together as `(other)`. */
  maxOperations?: number | undefined;
  /** Slow operations that are kept with their evidence. */
  maxSlowOperations?: number | undefined;
  /** Findings that are kept. */
  maxFindings?: number | undefined;
  /** Statements with statistics of their own. The others are counted as dropped. */
  maxQueries?: number | undefined;
  /** Explain slow operations. Without it there are no findings and no slow queries. */
  explain?: boolean | undefined;
  nPlusOne?: NPlusOneOptions | undefined;
  eventLoopBlock?: EventLoopBlockOptions | undefined;
  memoryLeaks?: MemoryLeakOptions | undefined;
  /** Ask the database for the plans of slow and repeated statements. Off unless `query` is given. */
  plans?: PlanOptions | undefined;
}

/** Work that is repeated within one request: statements, and outgoing calls. */
export interface NPlusOneOptions {
  enabled?: boolean | undefined;
  /** Repetitions within one request that make it a finding. */
  minRepetitions?: number | undefined;
  /** Milliseconds that the repetitions must take together. */
  minTotalMs?: number | undefined;
}

/** Memory that grows and is not released. */
export interface MemoryLeakOptions {
  /** Watch the memory that remains after major collections. */
  enabled?: boolean | undefined;
}

export interface ResolvedDetectionOptions
  extends Complete<Omit<DetectionOptions, 'nPlusOne' | 'eventLoopBlock' | 'memoryLeaks' | 'plans'>> {
  readonly nPlusOne: Complete<NPlusOneOptions>;
  readonly eventLoopBlock: ResolvedEventLoopBlockOptions;
  readonly memoryLeaks: Complete<MemoryLeakOptions>;
  readonly plans: ResolvedPlanOptions | undefined;
}

const N_PLUS_ONE_OPTIONS: OptionTable<NPlusOneOptions> = {
  enabled: option(boolean, { default: true }),
  minRepetitions: option(whole(2, 10_000), { default: 5 }),
  minTotalMs: option(milliseconds, { default: 25 }),
};
const MEMORY_LEAK_OPTIONS: OptionTable<MemoryLeakOptions> = {
  enabled: option(boolean, { default: true }),
};

export const DETECTION_OPTIONS: OptionTable<DetectionOptions> = {
  maxOperations: option(whole(1, 100_000), { default: 1000 }),
  maxSlowOperations: option(whole(1, 10_000), { default: 200 }),
  maxFindings: option(whole(1, 10_000), { default: 200 }),
  maxQueries: option(whole(1, 10_000), { default: 500 }),
  explain: option(boolean, { default: true }),
  nPlusOne: N_PLUS_ONE_OPTIONS,
  eventLoopBlock: EVENT_LOOP_BLOCK_OPTIONS,
  memoryLeaks: MEMORY_LEAK_OPTIONS,
  plans: PLAN_OPTIONS,
};
