import { describe, expect, it } from '@jest/globals';
import { matchesPattern } from '../../lib/alerting/alert-filter.js';
import type { SilenceOptions } from '../../lib/alerting/alert-options.js';
import { MAX_SILENCES, Silences } from '../../lib/alerting/silences.js';
import { START } from './alerts.js';

const alert = { rule: 'slow_percentage', subject: 'GET /reports/1' };
const covers = (silence: SilenceOptions, now = START, what: { rule: string; subject?: string } = alert) =>
  new Silences([silence]).covers(what, now);
/** A moment of that time on the clock of the process. */
const at = (hours: number, minutes = 0) => new Date(2026, 5, 1, hours, minutes).getTime();

describe('Silences', () => {
  it.each<[SilenceOptions]>([
    [{ rule: 'slow_percentage' }],
    [{ rule: 'slow_*' }],
    [{ rule: '*' }],
    [{ subject: 'GET /reports/*' }],
    [{ rule: 'slow*', subject: '*' }],
    [{ from: START }],
    [{ until: START + 1 }],
    [{ from: new Date(START - 1), until: new Date(START + 1).toISOString() }],
  ])('cover what fits %j', (silence) => {
    expect(covers(silence)).toBe(true);
  });

  it.each<[SilenceOptions]>([
    [{ rule: 'slow' }],
    [{ rule: 'Slow_*' }],
    [{ subject: 'GET /reports' }],
    [{ rule: 'slow_*', subject: 'POST *' }],
    [{ rule: '*', until: START }],
    [{ rule: '*', from: START + 1 }],
    [{ from: '2099-01-01' }],
  ])('do not cover what does not fit %j', (silence) => {
    expect(covers(silence)).toBe(false);
  });

  it('cover an alert without a subject where none is asked for', () => {
    expect(covers({ rule: 'heap_used' }, START, { rule: 'heap_used' })).toBe(true);
    expect(covers({ subject: 'GET /a' }, START, { rule: 'heap_used' })).toBe(false);
  });

  it('cover times of day, over midnight too', () => {
    const night: SilenceOptions = { daily: { from: '23:30', to: '04:00' } };
    expect(
      [at(23, 29), at(23, 30), at(0), at(3, 59), at(4), at(12)].map((now) => covers(night, now)),
    ).toEqual([false, true, true, true, false, false]);
    const day: SilenceOptions = { rule: '*', daily: { from: '02:00', to: '02:30' } };
    expect([at(1, 59), at(2), at(2, 29), at(2, 30)].map((now) => covers(day, now))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('end on request, and keep to their bound', () => {
    const silences = new Silences();
    const end = silences.add({ rule: 'slow_*' }, START);
    expect(silences.covers(alert, START)).toBe(true);
    end();
    end();
    expect(silences.covers(alert, START)).toBe(false);
    for (let i = 0; i < 50; i++) silences.add({ rule: 'over', until: START - 1 }, START - 10);
    silences.add({ rule: 'a' }, START);
    expect(silences.size).toBe(1);
    for (let i = 0; i < MAX_SILENCES + 50; i++) silences.add({ rule: `r${i}` }, START);
    expect(silences.size).toBe(MAX_SILENCES);
    expect(silences.covers({ rule: 'a' }, START)).toBe(false);
    expect(silences.covers({ rule: `r${MAX_SILENCES}` }, START)).toBe(true);
  });
});

describe('a pattern', () => {
  it.each([
    ['*', ''],
    ['a*c', 'ac'],
    ['a*c', 'abcbc'],
    ['*b*b*', 'abxb'],
    ['a.c', 'a.c'],
  ])('%s fits %s', (pattern, name) => {
    expect(matchesPattern(pattern, name)).toBe(true);
  });

  it.each([
    ['', 'a'],
    ['a*a', 'a'],
    ['a*c', 'acb'],
    ['*b*b', 'ab'],
    ['a.c', 'abc'],
    ['ab*bc', 'abc'],
  ])('%s does not fit %s', (pattern, name) => {
    expect(matchesPattern(pattern, name)).toBe(false);
  });

  it('takes no time for one that is made to', () => {
    expect(matchesPattern(`${'*a'.repeat(100)}b`, 'a'.repeat(5000))).toBe(false);
  });
});
