import { join, resolve } from 'node:path';
import {
  KEY_VALUE_STORE,
  type KeyValueStore,
  type ResolvedBaselineOptions,
} from '../baseline/baseline-options.js';
import { boolean, number, text } from '../validation/checks.js';
import { type OptionTable, option } from '../validation/option-table.js';

/** The instances of a service, seen from each of them. */
export interface FleetOptions {
  /** Publish a summary of this instance, and show the others. */
  enabled?: boolean | undefined;
  /**
   * Where the instances of one machine, or of one shared file system, publish. Processes of the same user find each other
   * there.
   */
  directory?: string | undefined;
  /** Where instances publish instead: a Keyv, or an object with its `get`, `set` and `delete`. */
  store?: KeyValueStore | undefined;
  /** Seconds between two summaries of an instance. One that has published none for four times as long is shown as lost. */
  publishSeconds?: number | undefined;
  /**
   * Of an alert that several instances have, one notifies the webhook and the methods with `@OnPerformanceAlert`, and the last
   * that has it notifies that it is resolved. What cannot be decided within two seconds is sent.
   */
  alerts?: boolean | undefined;
}

export interface ResolvedFleetOptions {
  readonly enabled: boolean;
  readonly directory: string;
  readonly store: KeyValueStore | undefined;
  readonly publishSeconds: number;
  /** Whether one of several instances notifies of an alert. Only if {@link isChosen}, unless the option says otherwise. */
  readonly alerts: boolean;
  /** Whether the application has set where to publish, here or for its baselines. */
  readonly isChosen: boolean;
}

/** The options with a directory and a store: by default, those of baselines, which instances share as well. */
export function resolveFleet(
  given: FleetOptions | undefined,
  resolved: Omit<ResolvedFleetOptions, 'isChosen' | 'alerts'>,
  baseline: ResolvedBaselineOptions,
  hasBaselineDirectory: boolean,
): ResolvedFleetOptions {
  const directory = resolve(given?.directory ?? join(baseline.directory, 'fleet'));
  const store = given?.store ?? (given?.directory === undefined ? baseline.store : undefined);
  const isChosen = store !== undefined || given?.directory !== undefined || hasBaselineDirectory;
  return { ...resolved, directory, store, isChosen, alerts: given?.alerts ?? isChosen };
}

export const FLEET_OPTIONS: OptionTable<FleetOptions> = {
  enabled: option(boolean, { default: true }),
  directory: option(text, { defaultText: '`fleet` within `baseline.directory`' }),
  store: option(KEY_VALUE_STORE, { defaultText: '`baseline.store`' }),
  publishSeconds: option(number(1, 60), { default: 5 }),
  alerts: option(boolean, {
    defaultText: '`true` if `fleet` or `baseline` has a `store` or a `directory`',
  }),
};
