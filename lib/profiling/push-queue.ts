// Not the global ones, which a test of the application may have replaced.
import { clearTimeout, setTimeout } from 'node:timers';
import { context } from '@opentelemetry/api';
import { Deadline } from '../async/deadline.js';
import { UNTRACED } from '../async/untraced.js';

const MAX_WAITING = 16;
const TIMEOUT_MS = 10_000;

/** Numbers of profiles. */
export interface PushStatus {
  readonly sent: number;
  readonly failed: number;
  /** Dropped before they were sent: too many were waiting, or the process ended. */
  readonly dropped: number;
  readonly waiting: number;
  /** Why the last one failed; undefined once one has been sent again. */
  readonly failure?: string;
}

/**
 * Sends profiles to a server one at a time, each once; if too many wait, the oldest are dropped. The requests are not traced.
 */
export class PushQueue<T> {
  private queue: T[] = [];
  private draining: Promise<void> | undefined;
  private sending: AbortController | undefined;
  private counts = { sent: 0, failed: 0, dropped: 0 };
  private failure: string | undefined;
  private overflowing = false;

  /**
   * @param origin of the server, without secrets
   * @param post sends one until the signal
   * @param warn called once for each series of failures
   */
  constructor(
    private readonly origin: string,
    private readonly post: (profile: T, signal: AbortSignal) => Promise<Response>,
    private readonly warn: (message: string) => void,
  ) {}

  get status(): PushStatus {
    return { ...this.counts, waiting: this.queue.length, failure: this.failure };
  }

  /** @param profile must not be changed afterwards */
  push(profile: T): void {
    this.queue.push(profile);
    if (this.queue.length > MAX_WAITING) {
      this.queue.shift();
      this.counts.dropped++;
      if (!this.overflowing && this.failure === undefined) {
        this.warn(
          `Profiles are captured faster than ${this.origin} accepts them: the oldest of ${MAX_WAITING} waiting profiles are ` +
            'dropped. This warning repeats only after the queue was empty.',
        );
      }
      this.overflowing = true;
    }
    this.draining ??= context.with(UNTRACED, () => this.drain());
  }

  /**
   * Waits until all profiles are sent or have failed. Drops the rest after `timeoutMs`, so that the process can end.
   */
  async flush(timeoutMs: number): Promise<void> {
    if (this.draining === undefined || (await new Deadline(timeoutMs).settle(this.draining))) return;
    this.counts.dropped += this.queue.length;
    this.queue = [];
    this.sending?.abort('the time to flush was over');
  }

  private async drain(): Promise<void> {
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      const failure = await this.send(next);
      if (failure === undefined) this.counts.sent++;
      else this.counts.failed++;
      this.note(failure);
    }
    this.overflowing = false;
    this.draining = undefined;
  }

  private note(failure: string | undefined): void {
    if (failure !== undefined && this.failure === undefined) {
      this.warn(
        `Profiles cannot be sent to ${this.origin} (${failure}). Each is sent once; the files stay in the directory ` +
          'of profiles. This warning repeats only after a success.',
      );
    }
    this.failure = failure;
  }

  /** @returns why it failed, without possible secrets: messages of `fetch` repeat addresses and headers */
  private async send(profile: T): Promise<string | undefined> {
    const sending = new AbortController();
    this.sending = sending;
    const timer = setTimeout(
      () => sending.abort(`no answer within ${TIMEOUT_MS / 1000} seconds`),
      TIMEOUT_MS,
    ).unref();
    try {
      const response = await this.post(profile, sending.signal);
      await response.body?.cancel();
      return response.ok ? undefined : `it answered ${response.status}`;
    } catch (error) {
      if (sending.signal.aborted) return String(sending.signal.reason);
      const { name, cause } = Object(error) as { name?: unknown; cause?: { code?: unknown } };
      return typeof cause?.code === 'string' ? cause.code : String(name ?? 'unknown error');
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The endpoint for `POST`. User name and password in the address become a header, because `fetch` rejects them. */
export function pushEndpoint(
  option: string,
  address: string,
  pathOf: (path: string) => string,
): { endpoint: URL; authorization?: string } {
  const parsed = URL.canParse(address) ? new URL(address) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw new TypeError(
      `Invalid ${option}: expected the address of a server such as http://localhost:4040 (http: or https:)`,
    );
  }
  const { username, password } = parsed;
  const endpoint = new URL(pathOf(parsed.pathname.replace(/\/*$/, '')), parsed.origin);
  if (username === '' && password === '') return { endpoint };
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { endpoint, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}
