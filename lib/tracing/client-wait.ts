import type { IncomingMessage } from 'node:http';
import { loopIdleMs } from '../process/loop-idle.js';
import type { LiveSpan } from '../spans/live-span.js';

/**
 * How long a request waits for its client: for the upload of its body, and for the reading of its response. Only idle time of
 * the event loop counts, in which the request waits for nothing else that is known.
 */
export class ClientWait {
  /** In milliseconds. */
  uploadMs = 0;
  downloadMs = 0;
  /** The idle time at which the current wait began. */
  private idleAtStart: number | undefined;
  private span: LiveSpan | undefined;

  /** @param span that of the request, while it runs */
  begin(span: LiveSpan | undefined): void {
    if (this.idleAtStart !== undefined) return;
    this.span = span;
    this.idleAtStart = idleMs(span);
  }

  /** The client has sent what the application waited for. */
  uploaded(span: LiveSpan | undefined): void {
    this.uploadMs += this.end(span);
  }

  /** The client has read the response. */
  downloaded(span: LiveSpan | undefined): void {
    this.downloadMs += this.end(span);
  }

  private end(span: LiveSpan | undefined): number {
    const { idleAtStart } = this;
    if (idleAtStart === undefined) return 0;
    this.idleAtStart = undefined;
    // Another tool may have ended its span meanwhile.
    return span === this.span ? Math.max(0, idleMs(span) - idleAtStart) : 0;
  }
}

function idleMs(span: LiveSpan | undefined): number {
  const idle = loopIdleMs();
  return span === undefined ? idle : span.selfIdleMs(idle);
}

/** Whether a request has a body. */
export function hasBody({ method, headers }: IncomingMessage): boolean {
  if (method === 'GET' || method === 'HEAD') return false;
  return (headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined;
}
