import type { ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  // Neither kept nor compressed, which would hold back what is sent.
  'Cache-Control': 'no-store, no-transform',
  'X-Content-Type-Options': 'nosniff',
  // So that nginx hands on each message as it comes.
  'X-Accel-Buffering': 'no',
};

/** From one message to the next, and the time after which a browser that lost its stream asks for another one. */
const INTERVAL_MS = 2000;
const RETRY_MS = 2000;
/** A client that has read nothing for so long is gone. */
const PATIENCE_MS = 30_000;
/** Then it is ended, and the browser asks anew: whoever may no longer see it does not see it for longer than that. */
const LIFETIME_MS = 15 * 60_000;

/** What is used of the response: those of HTTP/1.1 and HTTP/2 have it. */
type Response = Pick<
  ServerResponse,
  'req' | 'writeHead' | 'write' | 'end' | 'destroy' | 'once' | 'on' | 'destroyed'
>;

interface Stream {
  readonly response: Response;
  readonly openedAt: number;
  /** Since when it takes nothing. */
  fullSince: number | undefined;
}

/** The bounds of the streams, all of which a test may make shorter. */
export interface StreamLimits {
  /** Streams at a time. */
  readonly maxStreams: number;
  readonly intervalMs?: number;
  readonly patienceMs?: number;
  readonly lifetimeMs?: number;
}

/**
 * Tells whoever looks on, every two seconds, by server-sent events. A message is made once for all of them, and only
 * while somebody looks on. What a client is too slow to read it does not get: nothing is queued for it.
 */
export class LiveStreams {
  private readonly streams = new Set<Stream>();
  private readonly limits: Required<StreamLimits>;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  /**
   * @param event the name of the messages
   * @param makeData what they hold, as one line
   */
  constructor(
    private readonly event: string,
    private readonly makeData: () => string,
    limits: StreamLimits,
  ) {
    this.limits = { intervalMs: INTERVAL_MS, patienceMs: PATIENCE_MS, lifetimeMs: LIFETIME_MS, ...limits };
  }

  get size(): number {
    return this.streams.size;
  }

  /** Whether there is room for one more. None is opened once it is closed. */
  get hasRoom(): boolean {
    return !this.closed && this.streams.size < this.limits.maxStreams;
  }

  /** Answers with a stream, the first message of which is sent at once. Ask {@link hasRoom} before. */
  open(response: Response): void {
    // It may have gone while it was being authorized.
    if (response.destroyed) return;
    // Whoever asks for the head alone gets it, and takes no room.
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
    // A write that comes after the client has gone.
    response.on('error', () => this.remove(stream));
    response.writeHead(200, HEADERS);
    this.send(stream, `retry: ${RETRY_MS}\n\n${this.message()}`, stream.openedAt);
    this.timer ??= setInterval(() => this.tick(), this.limits.intervalMs).unref();
  }

  /** Ends all streams, and opens no more. */
  close(): void {
    this.closed = true;
    for (const { response, fullSince } of this.streams) {
      // Whoever does not read would not read the end either, and the server would wait for that.
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
        if (now - fullSince >= this.limits.patienceMs) response.destroy();
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
      // What cannot be written to is of no use to anybody.
      stream.response.destroy();
      this.remove(stream);
    }
  }

  /** A comment keeps the connection alive where there is nothing to tell. */
  private message(): string {
    try {
      return `event: ${this.event}\ndata: ${this.makeData()}\n\n`;
    } catch {
      return ': nothing could be told\n\n';
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
