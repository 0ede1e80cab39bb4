import { createHmac, timingSafeEqual } from 'node:crypto';

/** The header that says who sent a notification, and when: `t=SECONDS,v1=HEX`. */
export const SIGNATURE_HEADER = 'x-performance-signature';
const TOLERANCE_SECONDS = 300;

/**
 * The header for a body: HMAC-SHA256 over `SECONDS.BODY`. The time is part of it, so that a recorded request is worth
 * nothing later.
 * @param seconds since 1970
 */
export function sign(secret: string, body: string, seconds: number): string {
  return `t=${seconds},v1=${hmac(secret, body, seconds)}`;
}

/**
 * Whether a notification is from who knows the secret, and no older than five minutes. To be called with the body as it
 * came, before it is parsed. Takes as long for a wrong signature as for a right one.
 * @param header the value of `X-Performance-Signature`
 */
export function verifyAlertSignature(
  secret: string,
  header: string | undefined,
  body: string,
  {
    toleranceSeconds = TOLERANCE_SECONDS,
    now = Date.now(),
  }: { toleranceSeconds?: number; now?: number } = {},
): boolean {
  const match = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(header ?? '');
  if (match === null) return false;
  const [, time = '', given = ''] = match;
  const seconds = Number(time);
  if (!(Math.abs(now / 1000 - seconds) <= toleranceSeconds)) return false;
  return timingSafeEqual(Buffer.from(given), Buffer.from(hmac(secret, body, seconds)));
}

function hmac(secret: string, body: string, seconds: number): string {
  return createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
}
