import { get, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Overview } from '../../lib/dashboard/overview.js';
import { EndpointControllers } from '../../lib/nest/endpoint/endpoint-controllers.js';
import { PLATFORMS, startApplication, type TestApplication, until } from '../support/application.js';

describe.each(PLATFORMS)('the stream on %s', (platform) => {
  let application: TestApplication | undefined;
  afterEach(() => application?.app.close());

  /**
   * Reads a stream. Not by `fetch`, which opens a spare connection after a stream, for which a closing server waits.
   */
  const look = async (): Promise<{ text: () => string; ended: () => boolean; leave: () => void }> => {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${application?.url}/performance/stream`, { agent: false }, resolve).once('error', reject);
    });
    let text = '';
    let ended = false;
    response.on('data', (chunk) => {
      text += chunk;
    });
    response.on('error', () => {});
    response.once('close', () => {
      ended = true;
    });
    return { text: () => text, ended: () => ended, leave: () => response.destroy() };
  };

  it('sends the overview with the number of streams', async () => {
    application = await startApplication(platform, {}, { serviceName: 'shop' });
    await look();
    const { text } = await look();
    await until(() => text().endsWith('\n\n') && text().includes('data: '));
    const data = JSON.parse(/^data: (.*)$/m.exec(text())?.[1] ?? '') as Overview;
    expect(data).toMatchObject({ service: { name: 'shop' }, overhead: { streams: 2 } });
    const overview = await (await fetch(`${application.url}/performance/overview`)).json();
    expect(Object.keys(data).sort()).toEqual(Object.keys(overview as Overview).sort());
  });

  it('does not delay the shutdown of the application', async () => {
    application = await startApplication(platform, {});
    const streams = [await look(), await look()];
    await until(() => streams.every(({ text }) => text() !== ''));
    await application.app.close();
    await until(() => streams.every(({ ended }) => ended()));
  });

  it('is not opened any more while the application ends, even by the first request for it', async () => {
    application = await startApplication(platform, {});
    await application.app.get(EndpointControllers, { strict: false }).beforeApplicationShutdown();
    const response = await fetch(`${application.url}/performance/stream`);
    await response.body?.cancel();
    expect(response.status).toBe(503);
  });

  it('is never a slow request', async () => {
    application = await startApplication(platform, {}, { httpThresholdMs: 1 });
    const { text, leave, ended } = await look();
    await until(() => text() !== '');
    await new Promise((resolve) => setTimeout(resolve, 20));
    leave();
    await until(ended);
    await fetch(`${application.url}/nothing`);
    await until(() => application?.monitor.getStats().byType['http'] !== undefined);
    expect(application.monitor.getStats().byType['http']?.count).toBe(1);
    expect(application.monitor.getSlowOperations({ type: 'http' }).map(({ name }) => name)).not.toContain(
      'GET /performance/stream',
    );
  });
});
