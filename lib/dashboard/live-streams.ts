import type { ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  // Prevents compression, which would delay messages.
  'Cache-Control': 'no-store, no-transform',
  'X-Content-Type-Options': 'nosniff',
  // Prevents nginx from buffering messages.
  'X-Accel-Buffering': 'no',
};

/** The interval between messages, and the delay before a browser reconnects a lost stream. */
const INTERVAL_MS = 2000;
const RETRY_MS = 2000;
/** A client that reads nothing for this long is disconnected. */
const STALLED_MS = 30_000;
/** A stream is ended after this time. The browser reconnects and is authorized again, so revoked access ends here. */
const LIFETIME_MS = 15 * 60_000;

/** The members that responses of HTTP/1.1 and HTTP/2 share. */
type Response = Pick<
  ServerResponse,
  'req' | 'writeHead' | 'write' | 'end' | 'destroy' | 'once' | 'on' | 'destroyed'
>;

interface Stream {
  readonly response: Response;
  readonly openedAt: number;
  /** When its buffer became full; undefined while the client reads. */
  fullSince: number | undefined;
}

/** Limits of the streams. Tests shorten the times. */
export interface StreamLimits {
  /** Concurrent streams. */
  readonly maxStreams: number;
  readonly intervalMs?: number;
  readonly stalledMs?: number;
  readonly lifetimeMs?: number;
}

/**
 * Sends server-sent events to all connected pages every two seconds. A message is built once for all streams, and only
 * while one is open. A client that reads too slowly misses messages: none are queued for it.
 */
export class LiveStreams {
  private readonly streams = new Set<Stream>();
  private readonly limits: Required<StreamLimits>;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  /**
   * @param event the name of the events
   * @param makeData returns the data of an event, as one line
   */
  constructor(
    private readonly event: string,
    private readonly makeData: () => string,
    limits: StreamLimits,
  ) {
    this.limits = { intervalMs: INTERVAL_MS, stalledMs: STALLED_MS, lifetimeMs: LIFETIME_MS, ...limits };
  }

  get size(): number {
    return this.streams.size;
  }

  /** Whether another stream may be opened. False after {@link close}. */
  get hasRoom(): boolean {
    return !this.closed && this.streams.size < this.limits.maxStreams;
  }

  /** Responds with a stream and sends the first message at once. Check {@link hasRoom} first. */
  open(response: Response): void {
    // The client may have disconnected during authorization.
    if (response.destroyed) return;
    // A HEAD request gets the headers and does not count as a stream.
    if (response.req.method === 'HEAD') {
      response.writeHead(200, HEADERS).end();
      return;
    }
    const stream: Stream = { response, openedAt: performance.now(), fullSince: undefined };
    this.streams.add(stream);
    response.once('close', () => this.remove(stream));
    response.on('drain', () => {
      stream.fullSince = undefined;
    });
    // A write after the client has disconnected.
    response.on('error', () => this.remove(stream));
    response.writeHead(200, HEADERS);
    this.send(stream, `retry: ${RETRY_MS}\n\n${this.message()}`, stream.openedAt);
    this.timer ??= setInterval(
      () => meter.measure(COST.timers, () => this.tick()),
      this.limits.intervalMs,
    ).unref();
  }

  /** Ends all streams and refuses new ones. */
  close(): void {
    this.closed = true;
    for (const { response, fullSince } of this.streams) {
      // A stalled client would not read the end either, and the server would wait for it.
      if (fullSince === undefined) response.end();
      else response.destroy();
    }
    this.streams.clear();
    this.stopTimer();
  }

  private tick(): void {
    const now = performance.now();
    const message = this.message();
    for (const stream of this.streams) {
      const { response, openedAt, fullSince } = stream;
      if (fullSince !== undefined) {
        if (now - fullSince >= this.limits.stalledMs) response.destroy();
      } else if (now - openedAt >= this.limits.lifetimeMs) {
        response.end();
        this.remove(stream);
      } else {
        this.send(stream, message, now);
      }
    }
  }

  private send(stream: Stream, message: string, now: number): void {
    try {
      if (!stream.response.write(message)) stream.fullSince = now;
    } catch {
      // The response accepts no body.
      stream.response.destroy();
      this.remove(stream);
    }
  }

  /** The next event or, if its data cannot be built, a comment that keeps the connection alive. */
  private message(): string {
    try {
      return `event: ${this.event}\ndata: ${this.makeData()}\n\n`;
    } catch {
      return ': no data\n\n';
    }
  }

  private remove(stream: Stream): void {
    this.streams.delete(stream);
    if (this.streams.size === 0) this.stopTimer();
  }

  private stopTimer(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
