import { describe, expect, it } from '@jest/globals';
import type { PerformanceAlert } from '../../lib/alerting/alert.js';
import type { AlertSharing } from '../../lib/alerting/alert-sharing.js';
import { NotificationDelivery } from '../../lib/alerting/notification-delivery.js';
import type { AlertNotification, Notifier } from '../../lib/alerting/notifier.js';
import { Deadline } from '../../lib/async/deadline.js';
import { alertOf, notificationOf } from './alerts.js';

/** Channels that keep what they get. */
function delivery({ hasListeners = true } = {}) {
  const log: AlertNotification[] = [];
  const webhook: AlertNotification[] = [];
  const heard: PerformanceAlert[] = [];
  const notifiers: Notifier[] = [
    { name: 'log', notify: (notification) => log.push(notification) },
    ...(hasListeners
      ? [{ name: 'webhook', isShared: true as const, notify: (one: AlertNotification) => webhook.push(one) }]
      : []),
  ];
  const listeners = { hasListeners, emit: (alert: PerformanceAlert) => heard.push(alert) };
  return {
    log,
    webhook,
    heard,
    delivery: new NotificationDelivery(notifiers, (action) => action(), listeners),
  };
}

/** Asks a test which alerts are admitted. */
function askedSharing() {
  const asked: { notification: AlertNotification; answer(alerts: readonly PerformanceAlert[]): void }[] = [];
  const sharing: AlertSharing = {
    onTakenOver: undefined,
    admitted: (notification) => new Promise((answer) => asked.push({ notification, answer })),
  };
  return { asked, sharing };
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const ids = (notifications: AlertNotification[]): string[] =>
  notifications.flatMap(({ alerts }) => alerts.map(({ id }) => id));

describe('the delivery of notifications', () => {
  it('is immediate for all channels while alerts are not shared', () => {
    const { log, webhook, heard, delivery: delivered } = delivery();
    delivered.deliver(notificationOf());
    expect([ids(log), ids(webhook), heard.map(({ id }) => id)]).toEqual([['a'], ['a'], ['a']]);
  });

  it('of shared alerts is immediate for the log, and in order for channels outside', async () => {
    const { log, webhook, heard, delivery: delivered } = delivery();
    const { asked, sharing } = askedSharing();
    delivered.share(sharing, undefined);
    const [firing, resolved] = [alertOf(), alertOf({ state: 'resolved' })];
    delivered.deliver(notificationOf([firing, alertOf({ id: 'b' })]));
    delivered.deliver(notificationOf([resolved]));
    expect(log).toHaveLength(2);
    expect(webhook).toEqual([]);
    await turn();
    expect(asked).toHaveLength(1);
    asked[0]?.answer([firing]);
    await turn();
    asked[1]?.answer([resolved]);
    await turn();
    expect(webhook.map(({ state, alerts }) => [state, alerts])).toEqual([
      ['firing', [firing]],
      ['resolved', [resolved]],
    ]);
    expect(heard).toEqual([firing, resolved]);
  });

  it('of alerts of which another instance notifies does not happen', async () => {
    const { log, webhook, heard, delivery: delivered } = delivery();
    const { asked, sharing } = askedSharing();
    delivered.share(sharing, undefined);
    delivered.deliver(notificationOf());
    await turn();
    asked[0]?.answer([]);
    await turn();
    expect([log.length, webhook, heard]).toEqual([1, [], []]);
  });

  it('of an alert that is taken over is one of its own', () => {
    const { log, webhook, heard, delivery: delivered } = delivery();
    const { sharing } = askedSharing();
    delivered.share(sharing, undefined);
    sharing.onTakenOver?.(alertOf({ state: 'resolved' }));
    expect(log).toEqual([]);
    expect(webhook).toEqual([expect.objectContaining({ state: 'resolved', repeated: false, leftOut: 0 })]);
    expect(heard).toHaveLength(1);
  });

  it('asks nobody where there is no channel outside', async () => {
    const { log, delivery: delivered } = delivery({ hasListeners: false });
    const { asked, sharing } = askedSharing();
    delivered.share(sharing, undefined);
    delivered.deliver(notificationOf());
    await turn();
    expect([log.length, asked]).toEqual([1, []]);
  });

  it('has at most 1000 notifications that wait: further ones are sent', async () => {
    const { webhook, delivery: delivered } = delivery();
    const { asked, sharing } = askedSharing();
    delivered.share(sharing, undefined);
    for (let index = 0; index < 1001; index++)
      delivered.deliver(notificationOf([alertOf({ id: `a${index}` })]));
    await turn();
    expect(asked).toHaveLength(1);
    expect(ids(webhook)).toEqual(['a1000']);
  });

  it('sends at a shutdown what is not decided, once', async () => {
    const { webhook, delivery: delivered } = delivery();
    const { asked, sharing } = askedSharing();
    delivered.share(sharing, undefined);
    delivered.deliver(notificationOf());
    delivered.deliver(notificationOf([alertOf({ id: 'b' })]));
    await delivered.settle(new Deadline(20));
    expect(ids(webhook)).toEqual(['a', 'b']);
    asked[0]?.answer([alertOf()]);
    await turn();
    expect(ids(webhook)).toEqual(['a', 'b']);
  });
});
