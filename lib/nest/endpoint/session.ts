import { createHmac, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** A working day. */
export const SESSION_MS = 12 * 3_600_000;
export const SESSION_COOKIE = 'nestjs-performance-session';

const PURPOSE = 'nestjs-performance session';
const KEY_BYTES = 32;
const VALUE = /^([\da-z]{1,11})\.([\w-]{43})$/;
const COOKIE = new RegExp(`(?:^|;\\s*)${SESSION_COOKIE}=([^;\\s]*)`);

const derive = promisify<string, string, number, Buffer>(scrypt);

/**
 * Sessions of browsers, which can give no header with a stream. A session is a moment and a signature of it, so there
 * is no list of them, and any instance with the token knows those of the others. The key is derived slowly, and once:
 * who has a session cannot guess a weak token from it.
 */
export class Sessions {
  private derived: Promise<Buffer> | undefined;

  constructor(private readonly token: string) {}

  /** The value of the cookie. @param now milliseconds since 1970 */
  async issue(now = Date.now()): Promise<string> {
    const end = (now + SESSION_MS).toString(36);
    return `${end}.${await this.sign(end)}`;
  }

  /** Whether these cookies hold a session that has not ended. @param now milliseconds since 1970 */
  async holds(cookies: string | undefined, now = Date.now()): Promise<boolean> {
    const [, end = '', signature = ''] = VALUE.exec(COOKIE.exec(cookies ?? '')?.[1] ?? '') ?? [];
    if (signature === '' || Number.parseInt(end, 36) <= now) return false;
    return timingSafeEqual(Buffer.from(await this.sign(end)), Buffer.from(signature));
  }

  private async sign(end: string): Promise<string> {
    this.derived ??= derive(this.token, PURPOSE, KEY_BYTES).catch((error: unknown) => {
      this.derived = undefined;
      throw error;
    });
    return createHmac('sha256', await this.derived)
      .update(end)
      .digest('base64url');
  }
}
