import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AlertmanagerNotifier, MAX_ALERTS } from '../../lib/alerting/alertmanager-notifier.js';
import { until } from '../support/application.js';
import { alertOf, MINUTE, notificationOf, SERVICE, START } from './alerts.js';
import { type Answer, type Received, Receiver } from './receiver.js';

interface Posted {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
  endsAt: string;
  generatorURL?: string;
}

let server: Receiver;
let warnings: string[] = [];
afterEach(async () => {
  warnings = [];
  await server?.close().catch(() => {});
});

/** Why an Alertmanager would answer 400, by `postableAlerts` of its OpenAPI and its checks on labels. */
function faultOf({ method, path, headers, body }: Received): string | undefined {
  if (method !== 'POST' || path !== '/prefix/api/v2/alerts') return `${method} ${path}`;
  if (headers['content-type'] !== 'application/json') return 'content type';
  const alerts: unknown = JSON.parse(body);
  if (!Array.isArray(alerts)) return 'no array';
  for (const alert of alerts as Partial<Posted>[]) {
    const {
      labels,
      annotations = {},
      startsAt = '',
      endsAt = '',
      generatorURL = 'http://a',
      ...rest
    } = alert;
    if (Object.keys(rest).length > 0) return `unknown ${Object.keys(rest)}`;
    if (labels === undefined || Object.keys(labels).length === 0) return 'labels are required';
    for (const [name, value] of Object.entries({ ...labels, ...annotations })) {
      if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) return `label name ${name}`;
      if (typeof value !== 'string' || value === '') return `label value of ${name}`;
    }
    for (const time of [startsAt, endsAt]) {
      if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(time)) return `date-time ${time}`;
    }
    if (!(Date.parse(startsAt) < Date.parse(endsAt))) return 'the start is not before the end';
    if (!URL.canParse(generatorURL)) return 'generatorURL';
  }
  return undefined;
}

/** A server that speaks the API, and says 400 to what is not of its shape. */
const listen = async (
  answer: (index: number) => Answer = () => ({ status: 200 }),
  port?: number,
): Promise<void> => {
  server = await Receiver.listen((request, index) => {
    const fault = faultOf(request);
    return fault === undefined ? answer(index) : { status: 400, body: JSON.stringify(fault) };
  }, port);
};
const notifierTo = (url = `${server.url}/prefix/`, over: object = {}): AlertmanagerNotifier =>
  new AlertmanagerNotifier({ url, ...over }, SERVICE, (message) => warnings.push(message));
const posted = (index: number): Posted[] => JSON.parse(server.received[index]?.body ?? '[]') as Posted[];
const settled = (notifier: AlertmanagerNotifier, attempts: number): Promise<void> =>
  until(() => notifier.status.sent + notifier.status.failed === attempts);

describe('AlertmanagerNotifier', () => {
  it('lasts until it is sent again, however seldom that is, and begins before it ends', async () => {
    await listen();
    const seldom = new AlertmanagerNotifier({ url: `${server.url}/prefix` }, SERVICE, () => {}, 10 * MINUTE);
    seldom.notify(notificationOf([alertOf()]));
    seldom.tick(START);
    await until(() => seldom.status.sent === 1);
    expect(posted(0)[0]).toMatchObject({ endsAt: new Date(START + 40 * MINUTE).toISOString() });
    // The clock was set back by a day while it fired.
    seldom.tick(START - 1440 * MINUTE);
    await until(() => seldom.status.sent === 2);
    const { startsAt = '', endsAt = '' } = posted(1)[0] ?? {};
    expect(Date.parse(endsAt)).toBeGreaterThan(Date.parse(startsAt));
  });

  it('posts what fires with its labels, and its end when it is resolved', async () => {
    await listen();
    const notifier = notifierTo(undefined, { token: 'TOKEN', generatorUrl: 'https://shop/performance' });
    const labels = { operation: 'GET /orders', 'team.name': 'shop', '1st': 'x', empty: '' };
    notifier.notify(notificationOf([alertOf({ labels })]));
    notifier.tick(START);
    await settled(notifier, 1);
    expect(server.received[0]?.headers.authorization).toBe('Bearer TOKEN');
    expect(posted(0)).toEqual([
      {
        labels: {
          alertname: 'error_rate',
          severity: 'warning',
          service: 'shop',
          instance: 'shop-1',
          version: '1.2.3',
          subject: 'GET /orders',
          operation: 'GET /orders',
          team_name: 'shop',
          _1st: 'x',
        },
        annotations: { summary: alertOf().summary, value: '9 %' },
        startsAt: new Date(START).toISOString(),
        endsAt: new Date(START + 4 * MINUTE).toISOString(),
        generatorURL: 'https://shop/performance',
      },
    ]);
    const resolved = alertOf({ labels, state: 'resolved', timestamp: START + 90_000 });
    notifier.notify(notificationOf([resolved]));
    notifier.tick(START + 90_000);
    await settled(notifier, 2);
    expect(posted(1)).toMatchObject([
      { labels: posted(0)[0]?.labels, endsAt: new Date(START + 90_000).toISOString() },
    ]);
    notifier.tick(START + 10 * MINUTE);
    await notifier.flush(1000);
    expect(server.received).toHaveLength(2);
    expect(notifier.status).toEqual({ sent: 2, failed: 0, dropped: 0, waiting: 0 });
    expect(warnings).toEqual([]);
  });

  it('sends what fires again each minute, and nothing between', async () => {
    await listen();
    const notifier = notifierTo();
    notifier.notify(notificationOf());
    for (const [seconds, sent] of [
      [0, 1],
      [30, 1],
      [59, 1],
      [60, 2],
      [90, 2],
      [121, 3],
    ] as const) {
      notifier.tick(START + seconds * 1000);
      await settled(notifier, sent);
    }
    expect(server.received).toHaveLength(3);
    expect(posted(2)[0]?.endsAt).toBe(new Date(START + 121_000 + 4 * MINUTE).toISOString());
  });

  it('sends nothing where nothing fires', async () => {
    await listen();
    const notifier = notifierTo();
    notifier.tick(START);
    notifier.tick(START + MINUTE);
    await notifier.flush(100);
    expect(server.received).toEqual([]);
  });

  it('sends everything once a failed Alertmanager recovers', async () => {
    await listen((index) => ({ status: index < 2 ? 503 : 200 }));
    const notifier = notifierTo();
    notifier.notify(notificationOf([alertOf()]));
    notifier.tick(START);
    await settled(notifier, 1);
    expect(notifier.status).toMatchObject({ failed: 1, waiting: 1, failure: 'status 503' });
    notifier.notify(notificationOf([alertOf({ id: 'b', subject: 'GET /b' })], { timestamp: START + 1000 }));
    notifier.notify(
      notificationOf([alertOf({ state: 'resolved', timestamp: START + 2000 })], { timestamp: START + 2000 }),
    );
    notifier.tick(START + 4000);
    expect(server.received).toHaveLength(1);
    notifier.tick(START + 5000);
    await settled(notifier, 2);
    notifier.tick(START + 15_000);
    await settled(notifier, 3);
    expect(posted(2).map(({ labels, endsAt }) => [labels['subject'], endsAt])).toEqual([
      ['GET /b', new Date(START + 15_000 + 4 * MINUTE).toISOString()],
      ['GET /orders', new Date(START + 2000).toISOString()],
    ]);
    expect(notifier.status).toEqual({ sent: 1, failed: 2, dropped: 0, waiting: 0 });
    expect(warnings).toEqual([
      expect.stringMatching(/Alertmanager at http:\/\/127.0.0.1:\d+ \(status 503\)/),
    ]);
  });

  it('gets through once what refused listens again, and says no secret', async () => {
    await listen();
    const { port } = server;
    await server.close();
    const notifier = notifierTo(`http://user:PASSWORD@127.0.0.1:${port}/prefix?KEY`, { token: 'TOKEN' });
    notifier.notify(notificationOf());
    notifier.tick(START);
    await settled(notifier, 1);
    expect(notifier.status.failure).toBe('ECONNREFUSED');
    await listen(undefined, port);
    await notifier.flush(3000);
    expect(server.received).toHaveLength(1);
    expect(JSON.stringify([warnings, notifier.status])).not.toMatch(/PASSWORD|TOKEN|KEY/);
  });

  it('drops resolved alerts after 15 minutes without success, and keeps to its bound', async () => {
    await listen(() => ({ status: 503 }));
    const notifier = notifierTo();
    notifier.notify(notificationOf([alertOf({ state: 'resolved' })]));
    notifier.tick(START);
    await settled(notifier, 1);
    notifier.tick(START + 16 * MINUTE);
    await settled(notifier, 2);
    notifier.tick(START + 32 * MINUTE);
    expect(server.received).toHaveLength(2);
    for (let i = 0; i < MAX_ALERTS + 10; i++) notifier.notify(notificationOf([alertOf({ id: `${i}` })]));
    expect(notifier.status).toMatchObject({ waiting: MAX_ALERTS, dropped: 10 });
  });
});

const BINARY = 'prometheus-alertmanager';
const isInstalled = spawnSync(BINARY, ['--version'], { stdio: 'ignore' }).status === 0;
if (!isInstalled) process.stderr.write(`skipped: ${BINARY} is not installed on this machine\n`);
if (isInstalled) {
  describe('a real Alertmanager', () => {
    it('knows what fires, and no more once it is resolved', async () => {
      const directory = mkdtempSync(join(tmpdir(), 'alertmanager-'));
      const config = join(directory, 'alertmanager.yml');
      writeFileSync(config, 'route: { receiver: none }\nreceivers: [{ name: none }]\n');
      // A port that was free a moment ago.
      await listen();
      const { port } = server;
      await server.close();
      const child = spawn(
        BINARY,
        [
          `--config.file=${config}`,
          `--storage.path=${directory}`,
          `--web.listen-address=127.0.0.1:${port}`,
          '--cluster.listen-address=',
        ],
        { stdio: 'ignore' },
      );
      const url = `http://127.0.0.1:${port}`;
      const present = async (): Promise<Posted[]> =>
        (await (await fetch(`${url}/api/v2/alerts`)).json()) as Posted[];
      const eventually = async (condition: () => Promise<boolean>): Promise<void> => {
        const end = Date.now() + 10_000;
        while (!(await condition().catch(() => false))) {
          if (Date.now() > end) throw new Error('the Alertmanager did not come to it');
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      };
      try {
        await eventually(async () => (await fetch(`${url}/-/ready`)).ok);
        const notifier = notifierTo(url);
        const now = Date.now();
        const over = { firedAt: now, timestamp: now, labels: { 'a.b': 'c' } };
        notifier.notify(notificationOf([alertOf(over), alertOf({ ...over, id: 'b', subject: 'GET /b' })]));
        notifier.tick(now);
        await eventually(async () => (await present()).length === 2);
        expect((await present()).map(({ labels }) => [labels['alertname'], labels['a_b']])).toEqual([
          ['error_rate', 'c'],
          ['error_rate', 'c'],
        ]);
        const end = Date.now();
        notifier.notify(notificationOf([alertOf({ ...over, state: 'resolved', timestamp: end })]));
        await notifier.flush(3000);
        await eventually(async () => (await present()).length === 1);
        expect((await present())[0]?.labels['subject']).toBe('GET /b');
        expect(notifier.status).toMatchObject({ sent: 2, failed: 0, waiting: 0 });
      } finally {
        child.kill();
        await once(child, 'exit');
        rmSync(directory, { recursive: true });
      }
    });
  });
}
