import { describe, expect, it } from '@jest/globals';
import { FailureReports } from '../../lib/monitor/monitor-parts.js';

describe('reports of failures', () => {
  it('name a fault of this package once, however often a timer meets it, and each fault of a listener', () => {
    const lines: string[] = [];
    const failures = new FailureReports();
    failures.warn = (line) => lines.push(line);
    for (let tick = 0; tick < 3; tick++) {
      failures.report('the disk is full');
      failures.report('boom', 'alerts');
    }
    failures.report('the disk is gone');
    expect(lines).toEqual([
      'A part of nestjs-performance failed: the disk is full',
      'A listener of alerts failed. Other listeners are not affected: boom',
      'A listener of alerts failed. Other listeners are not affected: boom',
      'A listener of alerts failed. Other listeners are not affected: boom',
      'A part of nestjs-performance failed: the disk is gone',
    ]);
  });

  it('are bounded', () => {
    const lines: string[] = [];
    const failures = new FailureReports();
    failures.warn = (line) => lines.push(line);
    for (let fault = 0; fault < 1000; fault++) failures.report(`fault ${fault}`);
    expect(lines).toHaveLength(100);
  });
});
