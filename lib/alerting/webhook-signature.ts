import { createHmac, timingSafeEqual } from 'node:crypto';

/** The header with the time and the signature of a notification: `t=SECONDS,v1=HEX`. */
export const SIGNATURE_HEADER = 'x-performance-signature';
const TOLERANCE_SECONDS = 300;

/**
 * The header for a body: HMAC-SHA256 over `SECONDS.BODY`. It includes the time, so that a recorded request cannot be
 * replayed later.
 * @param seconds since 1970
 */
export function sign(secret: string, body: string, seconds: number): string {
  return `t=${seconds},v1=${hmac(secret, body, seconds)}`;
}

/**
 * Whether a notification was signed with the secret within the last five minutes. The comparison takes constant time.
 * @param secret if undefined or empty, no signature is valid
 * @param header the value of `X-Performance-Signature`
 * @param body the raw, unparsed body: in Nest `request.rawBody`
 */
export function verifyAlertSignature(
  secret: string | undefined,
  header: string | readonly string[] | undefined,
  body: string | Uint8Array,
  {
    toleranceSeconds = TOLERANCE_SECONDS,
    now = Date.now(),
  }: { toleranceSeconds?: number | undefined; now?: number | undefined } = {},
): boolean {
  const match = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(typeof header === 'string' ? header : '');
  // Anyone can create an HMAC with an empty key.
  if (match === null || secret === undefined || secret === '') return false;
  const [, time = '', given = ''] = match;
  const seconds = Number(time);
  if (!(Math.abs(now / 1000 - seconds) <= toleranceSeconds)) return false;
  return timingSafeEqual(Buffer.from(given), Buffer.from(hmac(secret, body, seconds)));
}

function hmac(secret: string, body: string | Uint8Array, seconds: number): string {
  return createHmac('sha256', secret).update(`${seconds}.`).update(body).digest('hex');
}
