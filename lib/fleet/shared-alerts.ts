import { context } from '@opentelemetry/api';
import type { PerformanceAlert } from '../alerting/alert.js';
import { type AlertSharing, sharedName } from '../alerting/alert-sharing.js';
import type { AlertNotification } from '../alerting/notifier.js';
import { AnswerLimit } from '../async/answer-limit.js';
import { UNTRACED } from '../async/untraced.js';
import type { Instance } from '../operation/instance.js';
import { type FleetStore, MAX_ANNOUNCED_BYTES } from './fleet-store.js';

/** What the store has not answered until then is sent, rather twice than never. */
const ANSWER_MS = 2000;
const MAX_UNANSWERED = 20;
/** How long a claim is kept without an instance that has its alert: the time of a restart. */
const CLAIM_TTL_MS = 10 * 60_000;
/** An instance that does not renew its list for so many beats is lost. */
const LOST_BEATS = 4;
/** Alerts of this instance that are shared. The evaluator has at most 1000 that fire. */
const MAX_SHARED = 1000;
/** The part of the interval of repetitions for which one of them is claimed, so that the next one is not late. */
const REPEAT_SHARE = 0.9;
const ALERT_ID = /^[\w-]{1,64}$/;

/** An alert that fires on this instance. */
interface Firing {
  readonly alert: PerformanceAlert;
  /** Rules may have several alerts of the same name. */
  readonly ids: Set<string>;
  /** That of its first notification, by whichever instance. */
  sharedId: string | undefined;
  /** Whether it is known which instance notifies of it. Until then, its claim is not renewed. */
  isDecided: boolean;
  /** It was sent without a claim, as the store did not answer. */
  isUnclaimed: boolean;
}

/** An alert that is resolved on this instance, and still fires on another one. */
interface Watched {
  readonly alert: PerformanceAlert;
  readonly on: string;
}

type Question = (store: FleetStore) => Promise<PerformanceAlert | undefined>;

/**
 * Of several instances with the same alert, lets one notify. The first claims it in the store. Each instance announces the
 * alerts that it has, so that the last one to have it ends the claim and notifies that it is resolved.
 */
export class SharedAlerts implements AlertSharing {
  onTakenOver: ((alert: PerformanceAlert) => void) | undefined;
  private readonly firing = new Map<string, Firing>();
  private readonly watched = new Map<string, Watched>();
  private readonly asking = new AnswerLimit(ANSWER_MS, MAX_UNANSWERED, () => {});
  private readonly beating = new AnswerLimit(ANSWER_MS, 1, () => {});
  private readonly ttlMs: number;
  private beats = 0;
  private hasAnnounced = false;

  /**
   * @param instance this one
   * @param intervalMs of {@link beat}
   */
  constructor(
    private readonly store: FleetStore,
    private readonly instance: Pick<Instance, 'key'>,
    intervalMs: number,
  ) {
    this.ttlMs = LOST_BEATS * intervalMs;
  }

  async admitted(
    { alerts }: AlertNotification,
    repeatIntervalMs: number | undefined,
  ): Promise<readonly PerformanceAlert[]> {
    const admitted: PerformanceAlert[] = [];
    const open: { alert: PerformanceAlert; name: string; question: Question }[] = [];
    const others = this.othersOnce();
    for (const alert of alerts) {
      const name = sharedName(alert);
      const question =
        alert.state === 'firing'
          ? this.fires(name, alert, repeatIntervalMs)
          : this.isResolved(name, alert, others);
      if (question === 'send') admitted.push(alert);
      else if (question !== 'keep') open.push({ alert, name, question });
    }
    if (open.length === 0) return admitted;
    const answers = await this.ask(open.map(({ question }) => question));
    for (const [index, { alert, name }] of open.entries()) {
      const answer = answers === undefined ? alert : answers[index];
      if (answer !== undefined) admitted.push(answer);
      const firing = this.firing.get(name);
      if (firing === undefined) continue;
      firing.isDecided = true;
      if (answers === undefined) firing.isUnclaimed = true;
    }
    return admitted;
  }

  /** Renews what this instance has announced, and takes over from instances that were lost. Never rejects. */
  async beat(): Promise<void> {
    const { store, firing, watched } = this;
    if (firing.size === 0 && watched.size === 0) return;
    const work = async (): Promise<void> => {
      if (firing.size > 0) {
        await this.announce();
        const decided = [...firing].filter(([, { isDecided }]) => isDecided);
        await Promise.all(decided.map(([name, one]) => this.renew(name, one)));
      }
      if (++this.beats % LOST_BEATS !== 0) return;
      for (const [name, one] of [...watched]) await this.look(store, name, one);
    };
    try {
      await this.beating.answerOf(() => context.with(UNTRACED, work));
    } catch {
      // The next beat tries again. The store's failure is reported by the summary.
    }
  }

  /** Removes what this instance has announced. */
  async withdraw(): Promise<void> {
    this.firing.clear();
    this.watched.clear();
    if (this.hasAnnounced) await this.store.withdrawAnnounced(this.instance.key);
  }

  private fires(
    name: string,
    alert: PerformanceAlert,
    repeatIntervalMs: number | undefined,
  ): Question | 'send' | 'keep' {
    const { firing } = this;
    const known = firing.get(name);
    if (known?.ids.has(alert.id) === true)
      return repeatIntervalMs === undefined ? 'send' : this.repetition(name, known, repeatIntervalMs);
    if (known !== undefined) {
      known.ids.add(alert.id);
      return 'keep';
    }
    if (firing.size >= MAX_SHARED) return 'send';
    this.watched.delete(name);
    const added: Firing = {
      alert,
      ids: new Set([alert.id]),
      sharedId: undefined,
      isDecided: false,
      isUnclaimed: false,
    };
    firing.set(name, added);
    return async ({ claims }) => {
      const value = this.valueFor(alert);
      const current = await claims.claim(name, value, CLAIM_TTL_MS);
      added.sharedId = idIn(current);
      // What cannot be read says nothing.
      return current === value || typeof current !== 'string' ? alert : undefined;
    };
  }

  private repetition(name: string, { alert, sharedId }: Firing, intervalMs: number): Question {
    return async ({ claims }) => {
      const value = this.valueFor(alert);
      const current = await claims.claim(`${name}-repeat`, value, intervalMs * REPEAT_SHARE);
      return current === value || typeof current !== 'string' ? withId(alert, sharedId) : undefined;
    };
  }

  private isResolved(
    name: string,
    alert: PerformanceAlert,
    others: () => Promise<ReadonlyMap<string, string>>,
  ): Question | 'send' | 'keep' {
    const known = this.firing.get(name);
    if (known === undefined) return 'send';
    known.ids.delete(alert.id);
    if (known.ids.size > 0) return 'keep';
    this.firing.delete(name);
    return async (store) => {
      const on = (await others()).get(name);
      if (on !== undefined) {
        if (this.watched.size < MAX_SHARED) this.watched.set(name, { alert, on });
        return undefined;
      }
      const value = await store.claims.release(name);
      if (value === undefined && !known.isUnclaimed) return undefined;
      return withId(alert, idIn(value) ?? known.sharedId);
    };
  }

  /** The answers, each an alert of which this instance notifies; undefined if the store fails or takes too long. */
  private async ask(questions: readonly Question[]): Promise<(PerformanceAlert | undefined)[] | undefined> {
    try {
      return await this.asking.answerOf(() =>
        context.with(UNTRACED, async () => {
          await this.announce();
          return Promise.all(questions.map((question) => question(this.store)));
        }),
      );
    } catch {
      return undefined;
    }
  }

  private async announce(): Promise<void> {
    this.hasAnnounced = true;
    await this.store.announce(this.instance.key, [...this.firing.keys()].join(), this.ttlMs);
  }

  private async renew(name: string, firing: Firing): Promise<void> {
    const { claims } = this.store;
    const current = await claims.renew(name, CLAIM_TTL_MS);
    if (current !== undefined) {
      firing.sharedId = idIn(current);
      firing.isUnclaimed = false;
      return;
    }
    // Another instance has notified that it is resolved, or the store has lost it.
    const value = this.valueFor(firing.alert);
    if (this.firing.get(name) !== firing || (await claims.claim(name, value, CLAIM_TTL_MS)) !== value) return;
    if (firing.isUnclaimed) firing.isUnclaimed = false;
    else this.onTakenOver?.(firing.alert);
    firing.sharedId = firing.alert.id;
  }

  /** Looks whether another instance still has an alert, and otherwise notifies that it is resolved. */
  private async look(store: FleetStore, name: string, { alert, on }: Watched): Promise<void> {
    if (namesIn(await store.announcedBy(on, this.ttlMs)).includes(name)) return;
    const next = (await this.others()).get(name);
    if (!this.watched.has(name)) return;
    if (next !== undefined) {
      this.watched.set(name, { alert, on: next });
      return;
    }
    this.watched.delete(name);
    const value = await store.claims.release(name);
    if (value !== undefined) this.onTakenOver?.(withId(alert, idIn(value)));
  }

  /** The alerts of other instances, each with one that has it. */
  private async others(): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (const { key, text } of await this.store.announced(this.ttlMs)) {
      if (key === this.instance.key) continue;
      for (const name of namesIn(text)) found.set(name, key);
    }
    return found;
  }

  /** Reads {@link others} when it is called first. */
  private othersOnce(): () => Promise<ReadonlyMap<string, string>> {
    let reading: Promise<ReadonlyMap<string, string>> | undefined;
    return () => (reading ??= this.others());
  }

  /** Unique, and with the id of the alert, which its later notifications have as well. */
  private valueFor({ id }: PerformanceAlert): string {
    return `${this.instance.key} ${id}`;
  }
}

/** Whatever it is, others have written it. */
function namesIn(text: unknown): string[] {
  return typeof text === 'string' && text.length <= MAX_ANNOUNCED_BYTES ? text.split(',', MAX_SHARED) : [];
}

function idIn(value: unknown): string | undefined {
  const id = typeof value === 'string' ? value.slice(value.indexOf(' ') + 1) : '';
  return ALERT_ID.test(id) ? id : undefined;
}

function withId(alert: PerformanceAlert, id: string | undefined): PerformanceAlert {
  return id === undefined || id === alert.id ? alert : { ...alert, id };
}
