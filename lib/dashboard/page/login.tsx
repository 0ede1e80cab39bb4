import { useRef, useState } from 'preact/hooks';
import { visible } from './text.js';

const FAILURES: Record<number, string> = {
  401: 'Wrong token.',
  403: 'Wrong token.',
  404: 'This application has no token login (endpoint.token is not set). Ask its operator for access.',
  429: 'Wrong token, and too many attempts. Try again in a second.',
};

/** The login form. The server answers a valid token with a session cookie that scripts cannot read. */
export function Login({ refusal, opened }: { refusal: string | undefined; opened: () => void }) {
  const token = useRef<HTMLInputElement>(null);
  const [failure, setFailure] = useState<string>();
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      const authorization = `Bearer ${token.current?.value ?? ''}`;
      const { ok, status } = await fetch('login', { method: 'POST', headers: { authorization } });
      setFailure(ok ? undefined : (FAILURES[status] ?? `The server responded with status ${status}.`));
      if (ok) opened();
    } catch {
      // The token is not valid in a header, or there is no network.
      setFailure('The token could not be sent. Check its characters and your connection.');
    }
  };
  return (
    <form class="panel login" onSubmit={send}>
      <h1>Protected page</h1>
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
