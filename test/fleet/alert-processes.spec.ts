import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WebhookBody } from '../../lib/alerting/webhook-notifier.js';
import { Receiver } from '../alerting/receiver.js';
import type { FaultProcess } from '../faults/process.js';
import { until } from '../support/application.js';
import { instanceProcesses, portOf, REDIS, redisAnswers } from './instance-processes.js';

/** Longer than a notification that must not come would take. */
const QUIET_MS = 1500;

const { start, pathOf } = instanceProcesses();
let receiver: Receiver;
let run = 0;
beforeEach(async () => {
  receiver = await Receiver.listen();
});
afterEach(() => receiver.close());

interface Shop {
  readonly process: FaultProcess;
  /** @param calls more than there were fast ones within the last minute */
  fail(calls?: number): Promise<void>;
  recover(): Promise<void>;
}

/** Three instances, the alerts of which are sent to the receiver. */
async function shops(env: NodeJS.ProcessEnv): Promise<[Shop, Shop, Shop]> {
  const NAMESPACE = `alerts-test-${process.pid}-${Date.now()}-${++run}`;
  const started = [1, 2, 3].map(() => start({ REDIS, NAMESPACE, WEBHOOK: receiver.url, ...env }));
  return Promise.all(started.map(shopOf)) as Promise<[Shop, Shop, Shop]>;
}

async function shopOf(one: FaultProcess): Promise<Shop> {
  const port = await portOf(one);
  const call = async (ms: number, count: number): Promise<void> => {
    for (let index = 0; index < count; index++)
      await (await fetch(`http://127.0.0.1:${port}/slow/${ms}`, { headers: { connection: 'close' } })).text();
  };
  return {
    process: one,
    fail: async (calls = 2) => {
      await call(300, calls);
      await one.message('firing');
    },
    recover: async () => {
      await call(0, 20);
      await one.message('resolved');
    },
  };
}

function received(): WebhookBody[] {
  return receiver.received.map(({ body }) => JSON.parse(body) as WebhookBody);
}
const states = (): string[] => received().map(({ state }) => state);

describe.each(['redis', 'directory'])('the alert of three instances that share a %s', (kind) => {
  const withStore = (name: string, test: (env: NodeJS.ProcessEnv) => Promise<void>): void =>
    it(name, async () => {
      if (kind === 'redis' && !(await redisAnswers())) {
        process.stderr.write('skipped: alerts of instances that share a Redis, as none answers\n');
        return;
      }
      await test({ STORE: kind === 'redis' ? 'redis' : pathOf(`shared-${run}`) });
    }, 120_000);

  withStore('is notified once, and once more when the last one is well again', async (env) => {
    const all = await shops(env);
    await Promise.all(all.map((shop) => shop.fail()));
    await until(() => receiver.received.length > 0);
    for (const shop of all) {
      await sleep(QUIET_MS);
      expect(states()).toEqual(['firing']);
      await shop.recover();
    }
    await until(() => receiver.received.length > 1);
    await sleep(QUIET_MS);
    expect(states()).toEqual(['firing', 'resolved']);
    const [firing, resolved] = received();
    expect(resolved?.alerts[0]?.id).toBe(firing?.alerts[0]?.id);
    // The next time is another alert.
    for (const { process } of all) process.messages.length = 0;
    await Promise.all(all.slice(0, 2).map((shop) => shop.fail(25)));
    await until(() => receiver.received.length > 2);
    await sleep(QUIET_MS);
    expect(states()).toEqual(['firing', 'resolved', 'firing']);
    expect(received()[2]?.alerts[0]?.id).not.toBe(firing?.alerts[0]?.id);
  });

  withStore('is resolved by the others if the one that notified is killed', async (env) => {
    const [first, second, third] = await shops(env);
    await first.fail();
    await until(() => receiver.received.length > 0);
    await second.fail();
    await third.fail();
    await sleep(QUIET_MS);
    first.process.kill('SIGKILL');
    await second.recover();
    await third.recover();
    await until(() => receiver.received.length > 1, 20_000);
    await sleep(QUIET_MS);
    expect(states()).toEqual(['firing', 'resolved']);
  });

  withStore('is resolved by one that is well if the last one that had it is killed', async (env) => {
    const [first, second] = await shops(env);
    await first.fail();
    await second.fail();
    await second.recover();
    await sleep(QUIET_MS);
    expect(states()).toEqual(['firing']);
    first.process.kill('SIGKILL');
    await until(() => receiver.received.length > 1, 20_000);
    await sleep(QUIET_MS);
    expect(states()).toEqual(['firing', 'resolved']);
  });
});

describe('the alert of three instances', () => {
  it.each([
    ['whose directory cannot be written', { STORE: '/dev/null/fleet' }],
    ['whose Redis does not answer', { STORE: 'redis', REDIS: 'redis://127.0.0.1:1' }],
    ['that are asked not to share alerts', { SHARE_ALERTS: 'false' }],
  ])(
    '%s is notified by each',
    async (_, env) => {
      const all = await shops({ STORE: pathOf('each'), ...env });
      await Promise.all(all.map((shop) => shop.fail()));
      await until(() => receiver.received.length === 3, 20_000);
      await Promise.all(all.map((shop) => shop.recover()));
      await until(() => receiver.received.length === 6, 20_000);
      await sleep(QUIET_MS);
      expect(states().sort()).toEqual(['firing', 'firing', 'firing', 'resolved', 'resolved', 'resolved']);
    },
    120_000,
  );
});
