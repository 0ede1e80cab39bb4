import { context } from '@opentelemetry/api';
import { UNTRACED } from '../async/untraced.js';
import type { PyroscopeOptions } from './profiling-options.js';
import { ingestName, ingestQuery } from './pyroscope-request.js';

const MAX_WAITING = 16;
const TIMEOUT_MS = 10_000;

/** What a profile is of. */
export interface PushedProfile {
  readonly type: 'cpu' | 'allocations';
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Samples a second, of a CPU profile. */
  readonly sampleRate?: number;
  /** Of the whole profile. Each combination of values is a series of its own on the server: nothing that is unique. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** How pushing goes, in numbers of profiles. */
export interface PushStatus {
  readonly sent: number;
  readonly failed: number;
  /** Given up before they were sent: there were too many, or no time. */
  readonly dropped: number;
  readonly waiting: number;
  /** Why the last one failed; nothing once one is sent again. */
  readonly failure?: string;
}

interface Waiting extends PushedProfile {
  readonly pprof: Uint8Array<ArrayBuffer>;
}

/**
 * Sends profiles to Pyroscope as its own SDK for Node does: `POST /ingest`, the gzipped pprof as the field `profile`
 * of a form. One at a time; of those that wait, the oldest gives way; none is sent twice. Never throws after it was
 * made, never traced.
 *
 * Grafana leads from a span to its profile when (grafana/otel-profiling-go does it so, and the server knows no other
 * way) each sample has the pprof label `span_id`, the 16 hex digits of the span, and the span has the attribute
 * `pyroscope.profile.id` with the same value. That span is the local root, and its samples are those of all the work
 * under it. Give `span_id` to the samples, not to `push`: of any other label the server makes a series for each value.
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
   * @param warn is told once of each streak of failures
   * @throws TypeError for an address that is none; it is not repeated, since it may hold a password
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
          `Profiles come faster than ${this.url.origin} takes them: the oldest of ${MAX_WAITING} that wait are ` +
            'dropped. This is said once, until none waits.',
        );
      }
      this.overflowing = true;
    }
    this.draining ??= context.with(UNTRACED, () => this.drain());
  }

  /** Waits until all is sent or failed. What is not by then is given up, so that it holds up no process. */
  async flush(timeoutMs: number): Promise<void> {
    if (this.draining === undefined) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.counts.dropped += this.queue.length;
        this.queue = [];
        this.sending?.abort('there was no more time');
        resolve();
      }, timeoutMs);
      timer.unref();
    });
    await Promise.race([this.draining, late]);
    clearTimeout(timer);
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
        `Profiles cannot be sent to ${this.url.origin} (${failure}). Each is tried once; they stay in the directory ` +
          'of profiles. This is said once, until it works again.',
      );
    }
    this.failure = failure;
  }

  /** @returns why it failed, without what may be secret: messages of `fetch` repeat addresses and headers */
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
        // The token is for this server alone.
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

/** `POST` goes there. A name and a password in the address become a header, since `fetch` refuses them. */
function endpointOf(text: string): { endpoint: URL; authorization?: string } {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw new TypeError(
      'profiling.pyroscope.url is no address of a server: give one such as http://localhost:4040 (http: or https:)',
    );
  }
  const { username, password } = parsed;
  const endpoint = new URL(`${parsed.pathname.replace(/\/*$/, '')}/ingest`, parsed.origin);
  if (username === '' && password === '') return { endpoint };
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { endpoint, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}
