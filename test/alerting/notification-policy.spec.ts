import { beforeEach, describe, expect, it } from '@jest/globals';
import type { PerformanceAlert } from '../../lib/alerting/alert.js';
import { MAX_ALERTS, NotificationPolicy } from '../../lib/alerting/notification-policy.js';
import type { AlertNotification } from '../../lib/alerting/notifier.js';
import { Silences } from '../../lib/alerting/silences.js';
import { alertOf, MINUTE, START } from './alerts.js';

const HOUR = 60 * MINUTE;
let sent: AlertNotification[];
let silences: Silences;
beforeEach(() => {
  sent = [];
  silences = new Silences();
});

const policyOf = (maxPerHour = 60, repeatIntervalMs?: number) =>
  new NotificationPolicy({ maxPerHour, repeatIntervalMs }, silences, (notification) =>
    sent.push(notification),
  );
const firing = (id: string, rule = 'r', over: Partial<PerformanceAlert> = {}) =>
  alertOf({ id, rule, ...over });
const resolved = (id: string, rule = 'r') => alertOf({ id, rule, state: 'resolved' });
/** `firing r: a b` */
const told = (): string[] =>
  sent.map(
    ({ state, rule, alerts, repeated, leftOut }) =>
      `${repeated ? 'repeated' : state} ${rule}: ${alerts.map(({ id }) => id).join(' ')}` +
      (leftOut > 0 ? ` (${leftOut} left out)` : ''),
  );

describe('a clock that is set back', () => {
  it('neither keeps the limit reached nor what is repeated back', () => {
    const policy = policyOf(1, HOUR);
    policy.settle([firing('1')], START);
    policy.settle([firing('2', 'q')], START - 24 * HOUR);
    expect(told()).toEqual(['firing r: 1', 'firing q: 2']);
    const repeating = policyOf(60, HOUR);
    repeating.settle([firing('3')], START);
    repeating.settle([], START - 24 * HOUR);
    expect(told().slice(2)).toEqual(['firing r: 3', 'repeated r: 3']);
  });
});

describe('grouping', () => {
  it('makes one notification of the alerts of a rule in one tick', () => {
    policyOf().settle([firing('1'), firing('2', 'q'), firing('3')], START);
    expect(told()).toEqual(['firing r: 1 3', 'firing q: 2']);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(2);
  });

  it('is as severe as its severest, and fires if one of them does', () => {
    const policy = policyOf();
    policy.settle(
      [firing('1', 'r', { severity: 'info' }), firing('2', 'r', { severity: 'critical' })],
      START,
    );
    policy.settle([resolved('1'), firing('3', 'r', { severity: 'info' })], START + 1);
    policy.settle([resolved('2')], START + 2);
    expect(sent.map(({ severity, state }) => `${severity} ${state}`)).toEqual([
      'critical firing',
      'warning firing',
      'warning resolved',
    ]);
  });

  it('sends nothing if nothing changed', () => {
    const policy = policyOf();
    policy.settle([firing('1')], START);
    for (let i = 1; i < 100; i++) policy.settle([], START + i * HOUR);
    expect(sent).toHaveLength(1);
  });

  it('holds 100 alerts, and sends the others in the next ticks', () => {
    const policy = policyOf();
    policy.settle(
      Array.from({ length: 250 }, (_, index) => firing(`${index}`)),
      START,
    );
    policy.settle([], START + 1);
    policy.settle([], START + 2);
    policy.settle([], START + 3);
    expect(sent.map(({ alerts }) => alerts.length)).toEqual([MAX_ALERTS, MAX_ALERTS, 50]);
    policy.settle(
      Array.from({ length: 250 }, (_, index) => resolved(`${index}`)),
      START + 4,
    );
    expect(sent.slice(3).map(({ alerts }) => alerts.length)).toEqual([MAX_ALERTS, MAX_ALERTS, 50]);
  });
});

describe('the limit', () => {
  it('keeps what is too much until there is room, the severest first', () => {
    const policy = policyOf(1);
    policy.settle([firing('1'), firing('2', 'severe', { severity: 'critical' })], START);
    expect(told()).toEqual(['firing severe: 2']);
    policy.settle([], START + HOUR - 1);
    expect(sent).toHaveLength(1);
    policy.settle([], START + HOUR);
    expect(told()[1]).toBe('firing r: 1');
  });

  it('counts alerts resolved before their notification, and sends nothing about them', () => {
    const policy = policyOf(1);
    policy.settle([firing('1')], START);
    policy.settle([firing('2', 'q'), firing('3', 'q')], START + 1);
    policy.settle([resolved('2', 'q'), resolved('3', 'q')], START + 2);
    policy.settle([firing('4', 'q')], START + HOUR);
    expect(told()).toEqual(['firing r: 1', 'firing q: 4 (2 left out)']);
  });

  it('always notifies that a notified alert is resolved', () => {
    const policy = policyOf(1);
    policy.settle([firing('1')], START);
    policy.settle([resolved('1')], START + 1);
    expect(told()).toEqual(['firing r: 1', 'resolved r: 1']);
  });
});

describe('silences', () => {
  it('keep an alert until they are over', () => {
    const policy = policyOf();
    silences.add({ rule: 'r', until: START + MINUTE }, START);
    policy.settle([firing('1'), firing('2', 'q')], START);
    policy.settle([], START + MINUTE - 1);
    expect(told()).toEqual(['firing q: 2']);
    policy.settle([], START + MINUTE);
    expect(told()[1]).toBe('firing r: 1');
  });

  it('say nothing at all of what began and ended within them', () => {
    const policy = policyOf();
    const end = silences.add({ rule: 'r' }, START);
    policy.settle([firing('1')], START);
    policy.settle([resolved('1')], START + 1);
    end();
    policy.settle([], START + 2);
    expect(sent).toEqual([]);
  });

  it('does not suppress that a notified alert is resolved', () => {
    const policy = policyOf();
    policy.settle([firing('1')], START);
    silences.add({ rule: 'r' }, START);
    policy.settle([resolved('1')], START + 1);
    expect(told()).toEqual(['firing r: 1', 'resolved r: 1']);
  });
});

describe('repetition', () => {
  it('repeats firing alerts within the limit, but not while silenced', () => {
    const policy = policyOf(60, 10 * MINUTE);
    policy.settle([firing('1')], START);
    policy.settle([], START + 9 * MINUTE);
    policy.settle([], START + 10 * MINUTE);
    policy.settle([], START + 11 * MINUTE);
    const end = silences.add({ rule: 'r' }, START);
    policy.settle([], START + 20 * MINUTE);
    end();
    policy.settle([resolved('1')], START + 21 * MINUTE);
    policy.settle([], START + 60 * MINUTE);
    expect(told()).toEqual(['firing r: 1', 'repeated r: 1', 'resolved r: 1']);
  });
});
