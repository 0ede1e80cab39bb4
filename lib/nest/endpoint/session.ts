import { createHmac, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** Sessions last for a working day: 12 hours. */
export const SESSION_MS = 12 * 3_600_000;
export const SESSION_COOKIE = 'nestjs-performance-session';

const PURPOSE = 'nestjs-performance session';
const KEY_BYTES = 32;
const VALUE = /^([\da-z]{1,11})\.([\w-]{43})$/;
const COOKIE = new RegExp(`(?:^|;\\s*)${SESSION_COOKIE}=([^;\\s]*)`);

const derive = promisify<string, string, number, Buffer>(scrypt);

/**
 * Sessions for browsers, which cannot send headers with an event stream. A session is a signed expiry time: nothing is
 * stored, and every instance with the same token accepts it. The signing key is derived with scrypt, so that a session
 * cookie does not help to guess a weak token.
 */
export class Sessions {
  private derived: Promise<Buffer> | undefined;

  constructor(private readonly token: string) {}

  /** Creates the value of a session cookie. @param now milliseconds since 1970 */
  async issue(now = Date.now()): Promise<string> {
    const end = (now + SESSION_MS).toString(36);
    return `${end}.${await this.sign(end)}`;
  }

  /** Whether the `Cookie` header contains a valid session. @param now milliseconds since 1970 */
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
