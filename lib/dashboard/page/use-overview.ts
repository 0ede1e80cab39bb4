import { useEffect, useRef, useState } from 'preact/hooks';
import { Connection, type Heard } from './connection.js';

export interface Live extends Heard {
  readonly paused: boolean;
  /** Holds what is shown as it is, or lets it go on. */
  pause(paused: boolean): void;
  /** Asks again, with whatever cookie there is now. */
  reopen(): void;
}

/** What the server tells, as it tells it. While nobody sees the page there is no stream. */
export function useOverview(): Live {
  const [heard, setHeard] = useState<Heard>({ state: 'connecting' });
  const [paused, setPaused] = useState(false);
  const connection = useRef<Connection>(undefined);
  connection.current ??= new Connection(setHeard);
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
  return { ...heard, paused, pause: setPaused, reopen: () => current.open() };
}
