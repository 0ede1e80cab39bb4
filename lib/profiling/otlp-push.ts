import type { OtlpProfileOptions } from './profiling-options.js';
import { PushQueue, type PushStatus, pushEndpoint } from './push-queue.js';

/** The path of OTLP/HTTP for profiles, which are alpha. */
const PATH = '/v1development/profiles';

/** Sends profiles by OTLP/HTTP in Protocol Buffers, gzipped. Only the constructor throws. */
export class OtlpPush {
  private readonly headers: Record<string, string>;
  private readonly queue: PushQueue<Uint8Array<ArrayBuffer>>;

  /**
   * @param warn called once for each series of failures
   * @throws TypeError for an invalid address; the message omits it, because it may contain a password
   */
  constructor({ url, headers }: OtlpProfileOptions, warn: (message: string) => void) {
    const { endpoint, authorization } = pushEndpoint('profiling.otlp.url', url ?? '', (path) =>
      path.endsWith('/profiles') ? path : `${path}${PATH}`,
    );
    this.headers = {
      ...(authorization === undefined ? {} : { authorization }),
      ...headers,
      'content-type': 'application/x-protobuf',
      'content-encoding': 'gzip',
    };
    this.queue = new PushQueue(endpoint.origin, (body, signal) => this.post(endpoint, body, signal), warn);
  }

  get status(): PushStatus {
    return this.queue.status;
  }

  /** @param request gzipped; must not be changed afterwards */
  push(request: Uint8Array<ArrayBuffer>): void {
    this.queue.push(request);
  }

  /** Waits until all profiles are sent or have failed. Drops the rest after `timeoutMs`, so that the process can end. */
  flush(timeoutMs: number): Promise<void> {
    return this.queue.flush(timeoutMs);
  }

  private post(url: URL, body: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<Response> {
    // The headers are for this server only.
    return fetch(url, { method: 'POST', headers: this.headers, body, redirect: 'manual', signal });
  }
}
