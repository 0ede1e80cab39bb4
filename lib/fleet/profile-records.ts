import type { SlowOperation } from '../explain/slow-operation.js';
import type { Instance } from '../operation/instance.js';
import type { ProfileInfo } from '../profiling/profile-info.js';
import { isProfileId } from '../profiling/profile-names.js';
import type { ProfileTexts } from './fleet-store.js';
import { MAX_SLOW } from './instance-summary.js';
import { encodeProfile, MAX_PROFILE_BYTES } from './profile-record.js';

/** Profiles that are written with one summary: those of a burst follow with the next ones. */
const MAX_WRITTEN = 5;
/** A file is written some hundred milliseconds after its operation ended. */
const ATTEMPTS = 3;
const DONE = Number.POSITIVE_INFINITY;

export interface ProfileSources {
  /** The newest first. */
  slowOperations(limit: number): SlowOperation[];
  /** A profile of this instance; without `text` if it has more than `maxBytes`; undefined if there is no file of it. */
  profile(id: string, maxBytes: number): Promise<{ info: ProfileInfo; text?: string } | undefined>;
}

/** Keeps the profiles of the latest slow operations of this instance in the store, so that other instances can show them. */
export class ProfileRecords {
  /** By id: how often it was looked for, and {@link DONE} once it is in the store. At most one for each slow operation. */
  private readonly known = new Map<string, number>();

  constructor(
    private readonly profiles: ProfileTexts,
    private readonly service: string,
    private readonly instance: Pick<Instance, 'id'>,
    private readonly sources: ProfileSources,
  ) {}

  /** Writes what is new, and removes what is old. @throws whatever the store throws */
  async write(): Promise<void> {
    const { known, profiles, service, instance, sources } = this;
    const ids = new Set(
      sources
        .slowOperations(MAX_SLOW)
        .flatMap(({ profile }) => profile ?? [])
        .filter(isProfileId),
    );
    const wanted = [...ids].filter((id) => (known.get(id) ?? 0) < ATTEMPTS).slice(0, MAX_WRITTEN);
    for (const id of wanted) {
      known.set(id, (known.get(id) ?? 0) + 1);
      const found = await sources.profile(id, MAX_PROFILE_BYTES);
      const text = found && (await encodeProfile(service, instance.id, found));
      if (text === undefined) continue;
      await profiles.keep(id, text);
      known.set(id, DONE);
    }
    for (const [id, attempts] of known) {
      if (ids.has(id)) continue;
      known.delete(id);
      if (attempts === DONE) await profiles.drop(id);
    }
  }
}
