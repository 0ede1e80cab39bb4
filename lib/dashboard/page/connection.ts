import type { Overview } from '../overview.js';

/**
 * `connecting`: nothing was heard yet. `live`: the stream is open. `polling`: the server gives no stream now, so it is
 * asked again and again. `lost`: it does not answer. `locked`: it asks who is there.
 */
export type ConnectionState = 'connecting' | 'live' | 'polling' | 'lost' | 'locked';

export interface Heard {
  readonly state: ConnectionState;
  /** The last one, whatever the state. */
  readonly overview?: Overview;
  /** What the server said when it refused. */
  readonly refusal?: string;
}

const POLL_MS = 5000;
/** Polls after which the stream is tried once more. */
const POLLS_PER_TRY = 6;

/** Hears from the server as well as it can: by its stream, else by asking; and goes on when it comes back. */
export class Connection {
  private overview: Overview | undefined;
  private stream: EventSource | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** @param told what is called at each change */
  constructor(private readonly told: (heard: Heard) => void) {}

  /** Begins, or begins anew. */
  open(): void {
    this.close();
    const stream = new EventSource('stream');
    this.stream = stream;
    stream.addEventListener('open', () => this.tell('live'));
    stream.addEventListener('overview', ({ data }: MessageEvent<string>) => {
      this.overview = JSON.parse(data) as Overview;
      this.tell('live');
    });
    stream.addEventListener('error', () => {
      if (this.stream !== stream) return;
      // While it is not closed the browser tries again by itself.
      if (stream.readyState === EventSource.CLOSED) void this.poll(POLLS_PER_TRY);
      else this.tell('lost');
    });
  }

  close(): void {
    this.stream?.close();
    this.stream = undefined;
    clearTimeout(this.timer);
  }

  /** Asks now and so many times more, then tries the stream. Once it is locked, only whoever has the token goes on. */
  private async poll(times: number): Promise<void> {
    const { stream } = this;
    const state = await this.ask();
    if (this.stream !== stream || state === 'locked') return;
    this.timer = setTimeout(() => {
      if (times > 0) void this.poll(times - 1);
      else this.open();
    }, POLL_MS);
  }

  private async ask(): Promise<ConnectionState> {
    const { stream } = this;
    let state: ConnectionState = 'lost';
    let refusal: string | undefined;
    try {
      const response = await fetch('overview', { headers: { accept: 'application/json' } });
      if (response.status === 401 || response.status === 403) {
        state = 'locked';
        refusal = await refusalOf(response);
      } else if (response.ok) {
        this.overview = (await response.json()) as Overview;
        state = 'polling';
      }
    } catch {
      // There is nobody: it is asked again.
    }
    if (this.stream === stream) this.tell(state, refusal);
    return state;
  }

  private tell(state: ConnectionState, refusal?: string): void {
    const { overview } = this;
    this.told({
      state,
      ...(overview === undefined ? {} : { overview }),
      ...(refusal === undefined ? {} : { refusal }),
    });
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
