import { afterEach, describe, expect, it } from '@jest/globals';
import { afterMs } from '../../lib/alerting/post-json.js';
import { type WebhookBody, WebhookNotifier } from '../../lib/alerting/webhook-notifier.js';
import { sign, verifyAlertSignature } from '../../lib/alerting/webhook-signature.js';
import { backoffMs } from '../../lib/async/backoff.js';
import { until } from '../support/application.js';
import { startTracing } from '../support/tracing.js';
import { alertOf, notificationOf, SERVICE, START } from './alerts.js';
import { type Answer, type Received, Receiver } from './receiver.js';

const SECRET = 'a secret of this length';
let receiver: Receiver;
let warnings: string[] = [];
afterEach(async () => {
  warnings = [];
  await receiver?.close().catch(() => {});
});

/** Backs off as short as it may. */
function notifierTo(url: string, over: object = {}): WebhookNotifier {
  return new WebhookNotifier(
    { url, secret: SECRET, headers: {}, timeoutMs: 2000, maxRetries: 2, maxQueue: 5, ...over },
    SERVICE,
    (message) => warnings.push(message),
    () => 0,
  );
}
const listen = async (answer?: (request: Received, index: number) => Answer, port?: number) => {
  receiver = await Receiver.listen(answer, port);
};
const idsOf = (received: readonly Received[]) =>
  received.map(({ body }) => (JSON.parse(body) as WebhookBody).id);

describe('WebhookNotifier', () => {
  it('sends a header once, however it is written', async () => {
    await listen();
    const url = receiver.url.replace('://', '://user:password@');
    const headers = { 'Content-Type': 'application/json', Authorization: 'Bearer TOKEN' };
    const notifier = notifierTo(url, { headers });
    notifier.notify(notificationOf([alertOf()]));
    await until(() => notifier.status.sent === 1);
    expect(receiver.received[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      authorization: 'Bearer TOKEN',
    });
  });

  it('posts a notification as JSON that its signature belongs to', async () => {
    await listen();
    const notifier = notifierTo(`${receiver.url}/hook?to=a`, { headers: { 'x-tenant': 'shop' } });
    notifier.notify(notificationOf([alertOf(), alertOf({ id: 'b', state: 'resolved', summary: 'fine' })]));
    await until(() => notifier.status.sent === 1);
    const [{ method, path, headers, body } = {} as Received] = receiver.received;
    expect({ method, path, type: headers['content-type'], tenant: headers['x-tenant'] }).toEqual({
      method: 'POST',
      path: '/hook?to=a',
      type: 'application/json',
      tenant: 'shop',
    });
    const signature = headers['x-performance-signature'] as string;
    expect(verifyAlertSignature(SECRET, signature, body)).toBe(true);
    expect(verifyAlertSignature(SECRET, signature, `${body} `)).toBe(false);
    expect(verifyAlertSignature('another secret of it', signature, body)).toBe(false);
    expect(JSON.parse(body)).toEqual({
      ...notificationOf([alertOf(), alertOf({ id: 'b', state: 'resolved', summary: 'fine' })]),
      version: 1,
      service: { name: 'shop', version: '1.2.3', host: 'shop-1' },
      text: `firing: ${alertOf().summary}\nresolved: fine`,
    });
    expect(notifier.status).toEqual({ sent: 1, failed: 0, dropped: 0, waiting: 0 });
    expect(warnings).toEqual([]);
  });

  it('tries again after a 500, with a pause, and keeps the order', async () => {
    await listen((_request, index) => ({ status: index === 0 ? 500 : 204 }));
    const notifier = notifierTo(receiver.url);
    for (const id of ['a', 'b']) notifier.notify(notificationOf(undefined, { id }));
    await until(() => notifier.status.failure !== undefined);
    expect(receiver.received).toHaveLength(1);
    await until(() => notifier.status.sent === 2);
    expect(idsOf(receiver.received)).toEqual(['a', 'a', 'b']);
    expect(notifier.status).toEqual({ sent: 2, failed: 0, dropped: 0, waiting: 0 });
    expect(warnings).toEqual([
      expect.stringMatching(/cannot be sent to http:\/\/127.0.0.1:\d+ \(status 500\)/),
    ]);
  });

  it('gives one up after so many attempts, and goes on with the next', async () => {
    await listen((request) =>
      idsOf([request])[0] === 'a' ? { status: 503, headers: { 'retry-after': '0' } } : { status: 200 },
    );
    const notifier = notifierTo(receiver.url);
    for (const id of ['a', 'b']) notifier.notify(notificationOf(undefined, { id }));
    await until(() => notifier.status.sent === 1);
    expect(idsOf(receiver.received)).toEqual(['a', 'a', 'a', 'b']);
    expect(notifier.status).toEqual({ sent: 1, failed: 1, dropped: 0, waiting: 0 });
    expect(warnings).toHaveLength(1);
  });

  it.each([400, 401, 404, 302])('does not try again after a %s, nor follow it', async (status) => {
    await listen(() => ({ status, headers: { location: '/elsewhere' } }));
    const notifier = notifierTo(receiver.url);
    notifier.notify(notificationOf());
    await until(() => notifier.status.failed === 1);
    expect(receiver.received).toHaveLength(1);
    expect(notifier.status.failure).toBe(`status ${status}`);
  });

  it('gets through once a server that refused listens again', async () => {
    await listen();
    const { port, url } = receiver;
    await receiver.close();
    const notifier = notifierTo(url, { maxRetries: 5 });
    notifier.notify(notificationOf());
    await until(() => notifier.status.failure === 'ECONNREFUSED');
    expect(notifier.status.waiting).toBe(1);
    await listen(undefined, port);
    await until(() => notifier.status.sent === 1);
    expect(notifier.status).toEqual({ sent: 1, failed: 0, dropped: 0, waiting: 0 });
    expect(warnings).toEqual([expect.stringContaining('ECONNREFUSED')]);
  });

  it('gives up waiting for an answer', async () => {
    await listen(() => 'never');
    const notifier = notifierTo(receiver.url, { timeoutMs: 100, maxRetries: 0 });
    notifier.notify(notificationOf());
    await until(() => notifier.status.failed === 1);
    expect(notifier.status.failure).toBe('no answer within 100 ms');
  });

  it('drops the oldest notification that is not being sent beyond its queue limit', async () => {
    let open = false;
    await listen(() => (open ? { status: 200 } : { status: 503, headers: { 'retry-after': '300' } }));
    const notifier = notifierTo(receiver.url, { maxRetries: 20 });
    for (let i = 0; i < 100; i++) notifier.notify(notificationOf(undefined, { id: `${i}` }));
    await until(() => notifier.status.failure !== undefined);
    expect(notifier.status).toMatchObject({ waiting: 5, dropped: 95 });
    open = true;
    await notifier.flush(3000);
    expect(idsOf(receiver.received)).toEqual(['0', '0', '96', '97', '98', '99']);
    expect(notifier.status).toEqual({ sent: 5, failed: 0, dropped: 95, waiting: 0 });
  });

  it('gives up what is left when there is no more time, and never keeps a shutdown longer', async () => {
    await listen(() => 'never');
    const notifier = notifierTo(receiver.url, { timeoutMs: 60_000 });
    for (const id of ['a', 'b']) notifier.notify(notificationOf(undefined, { id }));
    await until(() => receiver.received.length === 1);
    await notifier.flush(50);
    expect(notifier.status).toMatchObject({ sent: 0, dropped: 2, waiting: 0 });
    await notifierTo(receiver.url).flush(50);
  });

  it('never reveals the secret, a password or the path of the URL', async () => {
    await listen(() => ({ status: 401 }));
    const url = receiver.url.replace('//', '//user:pa%24s@');
    const notifier = notifierTo(`${url}/T0KEN`, { headers: { 'x-key': 'HEADERKEY' } });
    notifier.notify(notificationOf());
    await until(() => notifier.status.failed === 1);
    await receiver.close();
    notifier.notify(notificationOf());
    await until(() => notifier.status.failure === 'ECONNREFUSED');
    await notifier.flush(10);
    expect(receiver.received[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from('user:pa$s').toString('base64')}`,
    );
    const said = JSON.stringify([warnings, notifier.status, receiver.received.map(({ body }) => body)]);
    for (const secret of [SECRET, 'pa$s', 'pa%24s', 'T0KEN', 'HEADERKEY']) expect(said).not.toContain(secret);
  });

  it('is no part of a trace', async () => {
    await listen();
    const tracing = startTracing();
    const notifier = notifierTo(receiver.url);
    tracing.provider.getTracer('test').startActiveSpan('request', (span) => {
      notifier.notify(notificationOf());
      span.end();
    });
    await until(() => notifier.status.sent === 1);
    await tracing.shutdown();
    expect(receiver.received[0]?.headers['traceparent']).toBeUndefined();
  });
});

describe('the signature', () => {
  const body = '{"a":1}';
  const header = sign(SECRET, body, START / 1000);
  const verify = (given: string | undefined, now = START, toleranceSeconds?: number) =>
    verifyAlertSignature(SECRET, given, body, { now, toleranceSeconds });

  it('is good for five minutes, or as long as is said', () => {
    expect(verify(header)).toBe(true);
    expect(verify(header, START + 299_000)).toBe(true);
    expect(verify(header, START + 301_000)).toBe(false);
    expect(verify(header, START - 301_000)).toBe(false);
    expect(verify(header, START + 301_000, 600)).toBe(true);
  });

  it('is checked against the raw body as bytes, too, and against headers of any shape', () => {
    const bytes = Buffer.from('{"name":"Zoë"}');
    const ofBytes = sign(SECRET, bytes.toString(), START / 1000);
    const now = { now: START };
    expect(verifyAlertSignature(SECRET, ofBytes, bytes, now)).toBe(true);
    expect(verifyAlertSignature(SECRET, ofBytes, bytes.subarray(1), now)).toBe(false);
    expect(verifyAlertSignature(SECRET, [ofBytes], bytes, now)).toBe(false);
  });

  it.each([undefined, ''])('is invalid with the secret %j', (secret) => {
    const withoutKey = sign('', body, START / 1000);
    expect(verifyAlertSignature(secret, withoutKey, body, { now: START })).toBe(false);
  });

  it.each([
    undefined,
    '',
    'v1=abc',
    `t=${START / 1000},v1=${'0'.repeat(64)}`,
    `${header},v1=${'0'.repeat(64)}`,
    header.toUpperCase(),
    header.replace('t=', 't=1'),
  ])('is not %s', (given) => {
    expect(verify(given)).toBe(false);
  });
});

describe('the pause before another attempt', () => {
  it('doubles from a second to a minute, half of it by chance', () => {
    expect([0, 1, 2, 5, 6, 20].map((attempt) => backoffMs(attempt, () => 0))).toEqual([
      500, 1000, 2000, 16_000, 30_000, 30_000,
    ]);
    expect([0, 6].map((attempt) => backoffMs(attempt, () => 1))).toEqual([1000, 60_000]);
  });

  it.each<[string | null, number | undefined]>([
    ['2', 2000],
    ['0', 0],
    ['100000', 300_000],
    [new Date(START + 5000).toUTCString(), 5000],
    [new Date(START - 5000).toUTCString(), 0],
    ['soon', undefined],
    ['', undefined],
    [null, undefined],
  ])('is what Retry-After says: %s', (header, expected) => {
    expect(afterMs(header, START)).toBe(expected);
  });
});
