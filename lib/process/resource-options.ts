import { boolean, number, whole } from '../validation/checks.js';
import type { Complete } from '../validation/complete.js';
import { type OptionTable, option } from '../validation/option-table.js';

/** The default time between two samples. A shorter one is kept while the process rests. */
export const SAMPLED_EVERY_MS = 250;

/** How the resources of the process are sampled. */
export interface ResourceOptions {
  /** Milliseconds between two samples. From 250 on, more while nothing runs that is measured: a second, and 5 after half a minute. */
  intervalMs?: number | undefined;
}
export type ResolvedResourceOptions = Complete<ResourceOptions>;

export const RESOURCE_OPTIONS: OptionTable<ResourceOptions> = {
  intervalMs: option(whole(50, 60_000), { default: SAMPLED_EVERY_MS }),
};

/** Times in which the event loop is blocked. */
export interface EventLoopBlockOptions {
  /** Watch the event loop from a thread, and capture the stack that blocks it. */
  enabled?: boolean | undefined;
  /** The milliseconds above which the event loop counts as blocked. */
  limitMs?: number | undefined;
}
export type ResolvedEventLoopBlockOptions = Complete<EventLoopBlockOptions>;

export const EVENT_LOOP_BLOCK_OPTIONS: OptionTable<EventLoopBlockOptions> = {
  enabled: option(boolean, { default: true }),
  limitMs: option(number(50, 60_000), { default: 100 }),
};
