import { performance } from 'node:perf_hooks';
import type { Instance } from '../operation/instance.js';
import type { FleetStore } from './fleet-store.js';
import type { InstanceSummary } from './instance-summary.js';
import { LastSeen, type Sighting } from './last-seen.js';
import { decodeSummary } from './summary-format.js';

/** The valid summaries of the other instances. */
export interface ReadFleet {
  readonly summaries: readonly InstanceSummary[];
  readonly sightings: ReadonlyMap<InstanceSummary, Sighting>;
  readonly omitted: number;
  /** Entries that are not valid summaries of this service. */
  readonly ignored: number;
}

/** Reads what other instances have published. An entry that is not valid is counted, and harms nothing. */
export class FleetReader {
  private readonly lastSeen = new LastSeen();
  private readAt = Number.NEGATIVE_INFINITY;

  /** @param instance this one, whose own summary is not read */
  constructor(
    private readonly store: FleetStore,
    private readonly service: string,
    private readonly instance: Pick<Instance, 'key'>,
  ) {}

  /** @throws whatever the store throws */
  async read(): Promise<Generator<void, ReadFleet>> {
    return this.decoding(await this.store.published());
  }

  private *decoding({
    summaries: entries,
    omitted,
  }: Awaited<ReturnType<FleetStore['published']>>): Generator<void, ReadFleet> {
    const summaries: InstanceSummary[] = [];
    let ignored = 0;
    for (const { key, text } of entries) {
      if (key === this.instance.key) continue;
      const summary = this.decoded(key, text);
      if (summary === undefined) ignored++;
      else summaries.push(summary);
      yield;
    }
    const at = performance.now();
    const sightings = this.lastSeen.update(summaries, Date.now(), at - this.readAt);
    this.readAt = at;
    return { summaries, sightings, omitted, ignored };
  }

  private decoded(key: string, text: unknown): InstanceSummary | undefined {
    try {
      const summary = decodeSummary(text);
      return summary.key === key && summary.service === this.service ? summary : undefined;
    } catch {
      // Whatever it is, others have written it.
      return undefined;
    }
  }
}
