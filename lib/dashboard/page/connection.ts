import { useEffect, useRef, useState } from 'preact/hooks';
import type { Overview } from '../overview.js';

/**
 * `connecting`: no data received yet. `live`: the stream is open. `polling`: the server refuses streams, so the overview
 * is fetched periodically. `disconnected`: the server does not respond. `locked`: the server requires a token.
 */
export type ConnectionState = 'connecting' | 'live' | 'polling' | 'disconnected' | 'locked';

export interface Received {
  readonly state: ConnectionState;
  /** The last one received, whatever the state. */
  readonly overview?: Overview;
  /** The server's message when it refused access. */
  readonly refusal?: string;
}

const POLL_MS = 5000;
/** After this many polls the stream is tried again. */
const POLLS_PER_TRY = 6;

/** Receives overviews from the server's stream or, if the server refuses it, by polling. Reconnects by itself. */
export class Connection {
  private overview: Overview | undefined;
  private state: ConnectionState = 'connecting';
  private stream: EventSource | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onChange called with each new state or overview */
  constructor(private readonly onChange: (received: Received) => void) {}

  /** Connects, or reconnects. */
  open(): void {
    this.close();
    const stream = new EventSource('stream');
    this.stream = stream;
    stream.addEventListener('open', () => this.notify('live'));
    stream.addEventListener('overview', ({ data }: MessageEvent<string>) => {
      this.overview = JSON.parse(data) as Overview;
      this.notify('live');
    });
    stream.addEventListener('error', () => {
      if (this.stream !== stream) return;
      // Unless the stream is closed, the browser reconnects by itself.
      if (stream.readyState === EventSource.CLOSED) void this.poll(POLLS_PER_TRY);
      else this.notify('disconnected');
    });
  }

  close(): void {
    this.stream?.close();
    this.stream = undefined;
    clearTimeout(this.timer);
  }

  /** Fetches the overview now and up to `times` more, then tries the stream. Stops when the server requires a token. */
  private async poll(times: number): Promise<void> {
    const { stream } = this;
    const wasAway = this.state === 'disconnected';
    const state = await this.fetchOverview();
    if (this.stream !== stream || state === 'locked') return;
    // What refused the stream may have been a proxy, or the application that ended.
    if (wasAway && state === 'polling') {
      this.open();
      return;
    }
    this.timer = setTimeout(() => {
      if (times > 0) void this.poll(times - 1);
      else this.open();
    }, POLL_MS);
  }

  private async fetchOverview(): Promise<ConnectionState> {
    const { stream } = this;
    let state: ConnectionState = 'disconnected';
    let refusal: string | undefined;
    try {
      const response = await fetch('overview', { headers: { accept: 'application/json' } });
      if ([401, 403, 429].includes(response.status)) {
        const { message, code } = await refusalOf(response);
        // Others at this address may have exhausted the limit of requests without a token.
        if (response.status !== 429 || code === 'token_required') {
          state = 'locked';
          refusal = message;
        }
      } else if (response.ok) {
        this.overview = (await response.json()) as Overview;
        state = 'polling';
      }
    } catch {
      // The server does not respond; the next poll retries.
    }
    if (this.stream === stream) this.notify(state, refusal);
    return state;
  }

  private notify(state: ConnectionState, refusal?: string): void {
    const { overview } = this;
    this.state = state;
    this.onChange({
      state,
      ...(overview === undefined ? {} : { overview }),
      ...(refusal === undefined ? {} : { refusal }),
    });
  }
}

export interface Live extends Received {
  readonly paused: boolean;
  /** Freezes what the page shows, or resumes updates. */
  pause(paused: boolean): void;
  /** Reconnects, for instance after a login has set a cookie. */
  reopen(): void;
}

/** The latest overview. A hidden or paused page holds no stream open. */
export function useOverview(): Live {
  const [received, setReceived] = useState<Received>({ state: 'connecting' });
  const [paused, setPaused] = useState(false);
  const connection = useRef<Connection>(undefined);
  connection.current ??= new Connection(setReceived);
  const current = connection.current;
  useEffect(() => {
    const follow = (): void => {
      if (paused || document.hidden) current.close();
      else current.open();
    };
    follow();
    document.addEventListener('visibilitychange', follow);
    return () => {
      document.removeEventListener('visibilitychange', follow);
      current.close();
    };
  }, [paused]);
  return { ...received, paused, pause: setPaused, reopen: () => current.open() };
}

async function refusalOf(response: Response): Promise<{ message?: string; code?: unknown }> {
  try {
    const { message, code } = (await response.json()) as { message?: unknown; code?: unknown };
    return { ...(typeof message === 'string' ? { message } : {}), code };
  } catch {
    return {};
  }
}
