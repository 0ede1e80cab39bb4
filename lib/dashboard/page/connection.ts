import type { Overview } from '../overview.js';

/**
 * `connecting`: nothing was heard yet. `live`: the stream is open. `polling`: the server gives no stream now, so it is
 * asked again and again. `lost`: it does not answer. `locked`: it asks who is there.
 */
export type ConnectionState = 'connecting' | 'live' | 'polling' | 'lost' | 'locked';

export interface Heard {
  readonly state: ConnectionState;
  readonly overview?: Overview;
  /** What the server said when it refused. */
  readonly refusal?: string;
}

const POLL_MS = 5000;
/** Polls after which the stream is tried once more. */
const POLLS_PER_TRY = 6;

/** Hears from the server as well as it can: by its stream, else by asking; and goes on when it comes back. */
export class Connection {
  private heard: Heard = { state: 'connecting' };
  private stream: EventSource | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private polls = 0;

  /** @param told what is called at each change */
  constructor(private readonly told: (heard: Heard) => void) {}

  /** Begins, or begins anew. */
  open(): void {
    this.close();
    this.polls = 0;
    this.ask();
    const stream = new EventSource('stream');
    this.stream = stream;
    stream.addEventListener('open', () => this.tell({ state: 'live' }));
    stream.addEventListener('overview', ({ data }: MessageEvent<string>) =>
      this.tell({ state: 'live', overview: JSON.parse(data) as Overview }),
    );
    stream.addEventListener('error', () => {
      // Otherwise the browser itself tries again.
      if (stream.readyState === EventSource.CLOSED) this.poll();
      else if (this.heard.state !== 'locked') this.tell({ state: 'lost' });
    });
  }

  close(): void {
    this.stream?.close();
    this.stream = undefined;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private poll(): void {
    this.stream = undefined;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (++this.polls >= POLLS_PER_TRY) this.open();
      else this.ask().then(() => this.timer !== undefined && this.stream === undefined && this.poll());
    }, POLL_MS);
  }

  private async ask(): Promise<void> {
    try {
      const response = await fetch('overview', { headers: { accept: 'application/json' } });
      if (response.status === 401 || response.status === 403) {
        this.tell({ state: 'locked', refusal: await refusalOf(response) });
        return;
      }
      if (!response.ok) throw new Error(`status ${response.status}`);
      const overview = (await response.json()) as Overview;
      const isStreaming = this.stream?.readyState === EventSource.OPEN;
      const isWaiting = this.stream !== undefined && !isStreaming;
      this.tell({ state: isStreaming ? 'live' : isWaiting ? this.heard.state : 'polling', overview });
    } catch {
      if (this.stream === undefined) this.tell({ state: 'lost' });
    }
  }

  private tell(heard: Heard): void {
    const overview = heard.overview ?? this.heard.overview;
    // An answer that was under way for longer than the next event is no news.
    const isOld = (this.heard.overview?.at ?? 0) > (overview?.at ?? 0) && heard.state !== 'live';
    this.heard = {
      ...heard,
      ...(overview === undefined ? {} : { overview: isOld ? this.heard.overview : overview }),
    };
    this.told(this.heard);
  }
}

async function refusalOf(response: Response): Promise<string | undefined> {
  try {
    const { message } = (await response.json()) as { message?: unknown };
    return typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}
