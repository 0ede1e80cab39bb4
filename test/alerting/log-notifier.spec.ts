import { beforeEach, describe, expect, it } from '@jest/globals';
import { LogNotifier } from '../../lib/alerting/log-notifier.js';
import { alertOf, notificationOf } from './alerts.js';

describe('LogNotifier', () => {
  let lines: string[];
  beforeEach(() => {
    lines = [];
  });
  const notifier = (level?: 'warn') =>
    new LogNotifier((as, message) => lines.push(`${as}: ${message}`), level);

  it('writes one line at the level of the severity, and what is resolved as news', () => {
    notifier().notify(notificationOf([alertOf({ summary: 'too slow' })]));
    notifier().notify(
      notificationOf([alertOf({ summary: 'full', severity: 'critical', rule: 'heap_used' })]),
    );
    notifier().notify(notificationOf([alertOf({ severity: 'info', summary: 'hm' })], { repeated: true }));
    notifier().notify(notificationOf([alertOf({ state: 'resolved', summary: 'fine' })]));
    notifier('warn').notify(notificationOf([alertOf({ severity: 'critical', summary: 'x' })]));
    expect(lines).toEqual([
      'warn: Alert error_rate firing (warning): too slow',
      'error: Alert heap_used firing (critical): full',
      'log: Alert error_rate still firing (info): hm',
      'log: Alert error_rate resolved (warning): resolved: fine',
      'warn: Alert error_rate firing (critical): x',
    ]);
  });

  it('lists five alerts, and the number of further and left-out ones', () => {
    const alerts = Array.from({ length: 8 }, (_, index) => alertOf({ summary: `${index}` }));
    notifier().notify(notificationOf(alerts, { leftOut: 3 }));
    expect(lines).toEqual([
      'warn: Alert error_rate firing (warning): 0; 1; 2; 3; 4; and 3 more; (3 more were resolved before the limit allowed a notification)',
    ]);
  });

  it('writes no line that is not its own, and no endless one', () => {
    notifier().notify(
      notificationOf([alertOf({ summary: `a\r\nERROR forged\u2028\u001b[31m${'x'.repeat(1000)}` })]),
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^[^\p{Cc}\u2028]*$/u);
    expect(lines[0]?.length).toBeLessThan(600);
  });
});
