import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { sleep } from '../support/tracing.js';
import { ProfiledApplications } from './profiled-application.js';

describe('an idle event loop that is sampled', () => {
  let applications: ProfiledApplications;
  beforeEach(() => {
    applications = new ProfiledApplications();
  });
  afterEach(() => applications.end());

  it('does not count as busy, and a waiting operation has no JavaScript time', async () => {
    const application = await applications.start({ profileSlowOperations: false });
    await sleep(1500);
    const { resources } = application.app.get(PerformanceMonitor);
    expect(resources.current().eventLoop.utilization).toBeLessThan(0.2);
    const waited = await applications.slow(application, '/wait', false);
    expect(waited).toMatchObject({ cause: 'waiting' });
    expect(waited.causeShare).toBeGreaterThan(0.8);
    expect(waited.resources?.eventLoopUtilization).toBeLessThan(0.2);
  });

  it('counts as busy when it is', async () => {
    const application = await applications.start({ profileSlowOperations: false });
    const burned = await applications.slow(application, '/burn?ms=400', false);
    expect(burned).toMatchObject({ cause: 'cpu' });
    expect(burned.causeShare).toBeGreaterThan(0.7);
    expect(burned.resources?.eventLoopUtilization).toBeGreaterThan(0.5);
  });
});
