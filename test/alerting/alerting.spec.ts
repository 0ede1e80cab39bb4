import { afterEach, describe, expect, it } from '@jest/globals';
import type { PerformanceAlert } from '../../lib/alerting/alert.js';
import type { AlertOptions } from '../../lib/alerting/alert-options.js';
import { Alerting } from '../../lib/alerting/alerting.js';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';
import { PerformanceOptionsError } from '../../lib/validation/options-error.js';
import { until } from '../support/application.js';
import { MINUTE, SERVICE, START } from './alerts.js';
import { Receiver } from './receiver.js';

let closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing) await close();
  closing = [];
});

/** Alerting on the heap, with the percent that are in use. */
function start(options: AlertOptions = {}) {
  const state = { used: 10 };
  const alerts: PerformanceAlert[] = [];
  const told: PerformanceAlert[] = [];
  const errors: unknown[] = [];
  const lines: string[] = [];
  const alerting = new Alerting(
    resolveOptions({
      alerts: { defaultRules: false, rules: [{ kind: 'heap_used', threshold: 80 }], ...options },
    }).alerts,
    {
      types: () => [],
      type: () => undefined,
      operation: () => undefined,
      failing: () => [],
      heap: () => ({ used: state.used, limit: 100 }),
      eventLoop: () => ({}),
      leaks: () => [],
      regressions: () => [],
      findings: () => [],
    },
    SERVICE,
    (alert) => alerts.push(alert),
    (error) => errors.push(error),
  );
  alerting.log = (level, message) => lines.push(`${level}: ${message}`);
  alerting.onNotified((alert) => told.push(alert));
  closing.push(() => alerting.shutdown());
  return { alerting, state, alerts, told, errors, lines };
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Alerting', () => {
  it('notifies the log, a webhook and listeners of firing and resolved alerts', async () => {
    const receiver = await Receiver.listen();
    closing.push(() => receiver.close());
    const { alerting, state, alerts, told, lines } = start({ notifiers: { webhook: { url: receiver.url } } });
    alerting.evaluate(START);
    state.used = 90;
    alerting.evaluate(START + 1);
    expect(alerting.active()).toEqual([{ rule: 'heap_used', subject: undefined, firedAt: START + 1 }]);
    state.used = 50;
    alerting.evaluate(START + 2);
    await until(() => receiver.received.length === 2);
    expect(lines).toEqual([
      'error: Alert heap_used firing (critical): The heap uses 90 % of its limit (threshold 80 %)',
      'log: Alert heap_used resolved (critical): resolved: The heap uses 50 % of its limit (threshold 80 %)',
    ]);
    expect(told.map((alert) => alert.state)).toEqual(['firing', 'resolved']);
    expect(alerts).toEqual(told);
    await until(() => alerting.status.notifiers['webhook']?.sent === 2);
    expect(alerting.status).toEqual({
      droppedEpisodes: 0,
      droppedEvents: 0,
      notifiers: { webhook: { sent: 2, failed: 0, dropped: 0, waiting: 0 } },
    });
  });

  it('says nothing while nothing is wrong', async () => {
    const { alerting, alerts, told, lines, errors } = start();
    for (let i = 0; i < 100; i++) alerting.evaluate(START + i * MINUTE);
    await turn();
    expect([alerts, told, lines, errors]).toEqual([[], [], [], []]);
  });

  it('evaluates on a timer, in turns of the event loop', async () => {
    const { alerting, state, told, errors } = start({ intervalMs: 100, notifiers: { log: false } });
    alerting.start();
    alerting.start();
    state.used = 90;
    await until(() => told.length === 1);
    state.used = 10;
    await until(() => told.length === 2);
    await alerting.shutdown();
    state.used = 90;
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(told).toHaveLength(2);
    expect(errors).toEqual([]);
  });

  it('does nothing when it is not enabled', async () => {
    const { alerting, state, told } = start({
      enabled: false,
      intervalMs: 100,
      slos: [{ operation: 'a', objective: 0.9 }],
    });
    alerting.start();
    state.used = 90;
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(told).toEqual([]);
    expect(alerting.slos.size).toBe(0);
    expect(alerting.status.notifiers).toEqual({});
  });

  it('is silenced and notifies again, and rejects an invalid silence', async () => {
    const { alerting, state, alerts, lines } = start();
    const end = alerting.silence({ rule: 'heap_*' });
    state.used = 90;
    alerting.evaluate(START);
    expect(alerts).toHaveLength(1);
    expect(lines).toEqual([]);
    end();
    alerting.evaluate(START + 1);
    expect(lines).toHaveLength(1);
    expect(() => alerting.silence({})).toThrow(PerformanceOptionsError);
    expect(() => alerting.silence({ until: 'soon' })).toThrow(
      /^Invalid silence.until: received "soon", expected/,
    );
  });

  it('evaluates objectives against its counts', async () => {
    const { alerting, lines } = start({ slos: [{ operation: 'GET /a', objective: 0.99, thresholdMs: 100 }] });
    for (let i = 0; i < 20; i++) alerting.slos.record('GET /a', 200, false, 'http');
    alerting.evaluate(START);
    expect(lines).toEqual([
      'error: Alert slo_burn_fast firing (critical): GET /a: 20 of 20 operations failed or exceeded 100 ms in 1h, ' +
        '100 times the rate that the objective of 99 % allows; -9900 % of the 3-day error budget is left',
    ]);
    expect(alerting.burnRates(START)).toMatchObject([{ slo: 'GET /a', coveredMinutes: 1 }]);
  });

  it('goes on when a log or a listener throws', async () => {
    const { alerting, state, errors, told } = start();
    alerting.log = () => {
      throw new Error('a log that fails');
    };
    alerting.onNotified(() => {
      throw new Error('a listener that fails');
    });
    state.used = 90;
    expect(() => alerting.evaluate(START)).not.toThrow();
    await turn();
    expect(errors.map(String)).toEqual(['Error: a log that fails', 'Error: a listener that fails']);
    expect(told).toHaveLength(1);
  });

  it('sends pending notifications before it shuts down', async () => {
    const receiver = await Receiver.listen();
    closing.push(() => receiver.close());
    const { alerting, state } = start({
      notifiers: { webhook: { url: receiver.url }, alertmanager: { url: receiver.url } },
    });
    state.used = 90;
    alerting.evaluate(START);
    await alerting.shutdown();
    expect(receiver.received.map(({ path }) => path).sort()).toEqual(['/', '/api/v2/alerts']);
  });
});
