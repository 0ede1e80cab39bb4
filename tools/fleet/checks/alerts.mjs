// Every alert fires, reaches its receiver, inhibits what it explains, and resolves. Time runs faster: see time-scale.mjs.

import { assert, eventually } from '../results.mjs';
import { ILLNESSES } from '../simulated-instance.mjs';

const WAIT = { timeoutMs: 180_000, everyMs: 500 };
/** Those that others explain come first, so that they are not inhibited yet. */
const FIRST = ['slow', 'regression', 'leak', 'blocked', 'burn slow', 'overflow'];
const INHIBITED = {
  PerformanceSlowRequests: 'PerformanceErrors',
  PerformanceRegression: 'PerformanceErrors',
  PerformanceLeak: 'PerformanceHeapNearLimit',
  PerformanceSloBurnSlow: 'PerformanceSloBurnFast',
};

/**
 * @param {{ prometheus: object, alertmanager: string, webhook: object, instance: object, other: object }} parts two
 *   simulated instances: `other` stops responding
 */
export async function checkAlerts(results, { prometheus, alertmanager, webhook, instance, other }) {
  const rules = (await prometheus.rules()).filter(({ type }) => type === 'alerting');
  const severities = new Map(rules.map(({ name, labels }) => [name, labels.severity]));
  const notified = (status, name) =>
    webhook.alerts.find(({ status: is, labels }) => is === status && labels.alertname === name);

  await results.check('a healthy instance causes no alert', async () => {
    await eventually(
      'the instance scraped',
      async () => (await prometheus.query('performance_trends')).length > 1,
      WAIT,
    );
    assert(webhook.alerts.length === 0, () => JSON.stringify(webhook.alerts[0]));
  });

  instance.suffer(FIRST);
  other.setDown(true);
  const late = new Set(['PerformanceErrors', 'PerformanceHeapNearLimit', 'PerformanceSloBurnFast']);
  for (const [name, severity] of severities) {
    if (late.has(name)) continue;
    await results.check(`${name} fires and reaches ${receiverOf(severity)}`, () => arrives(name, severity));
  }
  instance.suffer(ILLNESSES);
  for (const name of late)
    await results.check(`${name} fires and reaches ${receiverOf(severities.get(name))}`, () =>
      arrives(name, severities.get(name)),
    );
  await results.check('what another alert explains is inhibited', async () => {
    await eventually(
      'all four inhibited',
      async () => {
        const alerts = await (await fetch(`http://${alertmanager}/api/v2/alerts`)).json();
        return Object.keys(INHIBITED).every((name) =>
          alerts.some(({ labels, status }) => labels.alertname === name && status.inhibitedBy.length > 0),
        );
      },
      WAIT,
    );
    return Object.keys(INHIBITED).join(', ');
  });

  const resolves = (name) =>
    results.check(`${name} resolves`, async () => {
      await eventually('resolved', () => notified('resolved', name), WAIT);
    });
  // In the opposite order: Alertmanager does not report the end of an alert that is inhibited when it ends.
  instance.suffer(FIRST);
  for (const name of late) await resolves(name);
  instance.suffer([]);
  other.setDown(false);
  for (const name of severities.keys()) if (!late.has(name)) await resolves(name);
  await results.check('no alert remains', async () => {
    await eventually('no alert', async () => (await prometheus.query('ALERTS')).length === 0, WAIT);
  });

  async function arrives(name, severity) {
    const alert = await eventually('a notification', () => notified('firing', name), WAIT);
    assert(alert.receiver === receiverOf(severity), `It reached ${alert.receiver}`);
    const { summary, action, dashboard } = alert.annotations;
    for (const text of [summary, action, dashboard])
      assert(text && !text.includes('{{'), `Not filled in: ${text}`);
    return summary;
  }
}

function receiverOf(severity) {
  return severity === 'critical' ? 'pager' : 'tickets';
}
