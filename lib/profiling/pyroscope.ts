import { context } from '@opentelemetry/api';
import { Deadline } from '../async/deadline.js';
import { UNTRACED } from '../async/untraced.js';
import type { PyroscopeOptions } from './profiling-options.js';
import { ingestName, ingestQuery } from './pyroscope-request.js';

const MAX_WAITING = 16;
const TIMEOUT_MS = 10_000;

/** Metadata of a profile that is sent. */
export interface PushedProfile {
  readonly type: 'cpu' | 'allocations';
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Samples per second of a CPU profile. */
  readonly sampleRate?: number;
  /**
   * Labels of the whole profile. Each combination of values creates a series on the server, so values must not be
   * unique.
   */
  readonly labels?: Readonly<Record<string, string>>;
}

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

interface Waiting extends PushedProfile {
  readonly pprof: Uint8Array<ArrayBuffer>;
}

/**
 * Sends profiles to Pyroscope in the same way as its SDK for Node: `POST /ingest`, with the gzipped pprof in the field
 * `profile` of a form. Sends one at a time, each once; if too many wait, the oldest are dropped. Only the constructor throws.
 * The requests are not traced.
 *
 * Grafana links a span to its profile if each sample has the pprof label `span_id`, the 16 hex digits of the span, and the
 * span has the attribute `pyroscope.profile.id` with the same value, as grafana/otel-profiling-go does it. That span is the
 * local root, and its samples are those of all its descendants. Set `span_id` on samples rather than in `push`: the server
 * creates a series for each value of any other label.
 */
export class PyroscopePush {
  private readonly url: URL;
  private readonly headers: Record<string, string> = {};
  private queue: Waiting[] = [];
  private draining: Promise<void> | undefined;
  private sending: AbortController | undefined;
  private counts = { sent: 0, failed: 0, dropped: 0 };
  private failure: string | undefined;
  private overflowing = false;

  /**
   * @param warn called once for each series of failures
   * @throws TypeError for an invalid address; the message omits it, because it may contain a password
   */
  constructor(
    { url, authToken, tenantId }: PyroscopeOptions,
    private readonly service: {
      readonly serviceName: string;
      readonly serviceVersion?: string;
      readonly hostName: string;
    },
    private readonly warn: (message: string) => void,
  ) {
    const { endpoint, authorization } = endpointOf(url ?? '');
    this.url = endpoint;
    if (authorization !== undefined) this.headers['authorization'] = authorization;
    if (authToken !== undefined) this.headers['authorization'] = `Bearer ${authToken}`;
    if (tenantId !== undefined) this.headers['x-scope-orgid'] = tenantId;
  }

  get status(): PushStatus {
    return { ...this.counts, waiting: this.queue.length, failure: this.failure };
  }

  /** @param pprof gzipped; must not be changed afterwards */
  push(pprof: Uint8Array, profile: PushedProfile): void {
    this.queue.push({ ...profile, pprof: pprof as Uint8Array<ArrayBuffer> });
    if (this.queue.length > MAX_WAITING) {
      this.queue.shift();
      this.counts.dropped++;
      if (!this.overflowing && this.failure === undefined) {
        this.warn(
          `Profiles are captured faster than ${this.url.origin} accepts them: the oldest of ${MAX_WAITING} waiting profiles are ` +
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
        `Profiles cannot be sent to ${this.url.origin} (${failure}). Each is sent once; the files stay in the directory ` +
          'of profiles. This warning repeats only after a success.',
      );
    }
    this.failure = failure;
  }

  /** @returns why it failed, without possible secrets: messages of `fetch` repeat addresses and headers */
  private async send({ pprof, ...profile }: Waiting): Promise<string | undefined> {
    const sending = new AbortController();
    this.sending = sending;
    const timer = setTimeout(
      () => sending.abort(`no answer within ${TIMEOUT_MS / 1000} seconds`),
      TIMEOUT_MS,
    ).unref();
    try {
      const url = new URL(this.url);
      url.search = ingestQuery(ingestName(this.service, profile.labels), profile);
      const body = new FormData();
      body.append('profile', new Blob([pprof]), 'profile.pprof');
      const response = await fetch(url, {
        method: 'POST',
        headers: this.headers,
        body,
        // The token is for this server only.
        redirect: 'manual',
        signal: sending.signal,
      });
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
function endpointOf(text: string): { endpoint: URL; authorization?: string } {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw new TypeError(
      'Invalid profiling.pyroscope.url: expected the address of a server such as http://localhost:4040 (http: or https:)',
    );
  }
  const { username, password } = parsed;
  const endpoint = new URL(`${parsed.pathname.replace(/\/*$/, '')}/ingest`, parsed.origin);
  if (username === '' && password === '') return { endpoint };
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { endpoint, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}
