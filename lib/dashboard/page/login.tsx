import { useRef, useState } from 'preact/hooks';
import { visible } from './text.js';

const FAILURES: Record<number, string> = {
  401: 'That is not the token.',
  403: 'That is not the token.',
  404: 'This application takes no token: ask whoever runs it how you may see the page.',
  429: 'Too many attempts. Wait a minute, then try again.',
};

/** Asks for the token, which the server keeps in a cookie that no script can read. */
export function Login({ refusal, opened }: { refusal: string | undefined; opened: () => void }) {
  const token = useRef<HTMLInputElement>(null);
  const [failure, setFailure] = useState<string>();
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      const authorization = `Bearer ${token.current?.value ?? ''}`;
      const { ok, status } = await fetch('login', { method: 'POST', headers: { authorization } });
      setFailure(ok ? undefined : (FAILURES[status] ?? `The server answered with status ${status}.`));
      if (ok) opened();
    } catch {
      // A token that is no text of a header, or no network.
      setFailure('It could not be sent. Check the token and the connection.');
    }
  };
  return (
    <form class="panel login" onSubmit={send}>
      <h1>This page is protected</h1>
      {refusal !== undefined && <p class="soft">{visible(refusal, 600)}</p>}
      <label for="token">Token</label>
      <div class="login-row">
        <input id="token" ref={token} type="password" autocomplete="current-password" required />
        <button type="submit" class="primary">
          Open
        </button>
      </div>
      <p role="alert" class="bad">
        {failure}
      </p>
    </form>
  );
}
