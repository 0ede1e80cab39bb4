import type { PyroscopeOptions } from './profiling-options.js';
import { PushQueue, type PushStatus, pushEndpoint } from './push-queue.js';
import { ingestName, ingestQuery } from './pyroscope-request.js';

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

interface Waiting extends PushedProfile {
  readonly pprof: Uint8Array<ArrayBuffer>;
}

/**
 * Sends profiles to Pyroscope in the same way as its SDK for Node: `POST /ingest`, with the gzipped pprof in the field
 * `profile` of a form. Only the constructor throws.
 *
 * Grafana links a span to its profile if each sample has the pprof label `span_id`, the 16 hex digits of the span, and the
 * span has the attribute `pyroscope.profile.id` with the same value, as grafana/otel-profiling-go does it. That span is the
 * local root, and its samples are those of all its descendants. Set `span_id` on samples rather than in `push`: the server
 * creates a series for each value of any other label.
 */
export class PyroscopePush {
  private readonly url: URL;
  private readonly headers: Record<string, string> = {};
  private readonly queue: PushQueue<Waiting>;

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
    warn: (message: string) => void,
  ) {
    const { endpoint, authorization } = pushEndpoint(
      'profiling.pyroscope.url',
      url ?? '',
      (path) => `${path}/ingest`,
    );
    this.url = endpoint;
    if (authorization !== undefined) this.headers['authorization'] = authorization;
    if (authToken !== undefined) this.headers['authorization'] = `Bearer ${authToken}`;
    if (tenantId !== undefined) this.headers['x-scope-orgid'] = tenantId;
    this.queue = new PushQueue(endpoint.origin, (profile, signal) => this.post(profile, signal), warn);
  }

  get status(): PushStatus {
    return this.queue.status;
  }

  /** @param pprof gzipped; must not be changed afterwards */
  push(pprof: Uint8Array, profile: PushedProfile): void {
    this.queue.push({ ...profile, pprof: pprof as Uint8Array<ArrayBuffer> });
  }

  /** Waits until all profiles are sent or have failed. Drops the rest after `timeoutMs`, so that the process can end. */
  flush(timeoutMs: number): Promise<void> {
    return this.queue.flush(timeoutMs);
  }

  private post({ pprof, ...profile }: Waiting, signal: AbortSignal): Promise<Response> {
    const url = new URL(this.url);
    url.search = ingestQuery(ingestName(this.service, profile.labels), profile);
    const body = new FormData();
    body.append('profile', new Blob([pprof]), 'profile.pprof');
    // The token is for this server only.
    return fetch(url, { method: 'POST', headers: this.headers, body, redirect: 'manual', signal });
  }
}
