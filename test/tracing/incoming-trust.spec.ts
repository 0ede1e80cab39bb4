import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { context, propagation, trace } from '@opentelemetry/api';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import {
  fetchFromOutside,
  PLATFORMS,
  startApplication,
  type TestApplication,
  until,
} from '../support/application.js';
import { OtlpReceiver } from '../support/otlp-receiver.js';

interface Seen {
  readonly baggage: string | undefined;
  readonly traceId: string | undefined;
  /** The headers of an outgoing call. */
  readonly sent: Record<string, string>;
}

@Controller()
class TenantController {
  @Get('tenant')
  see(): Seen {
    const sent: Record<string, string> = {};
    propagation.inject(context.active(), sent);
    return {
      baggage: propagation.getActiveBaggage()?.getEntry('tenant')?.value,
      traceId: trace.getActiveSpan()?.spanContext().traceId,
      sent,
    };
  }
}

describe.each(PLATFORMS)('headers of strangers on %s', (platform) => {
  let receiver: OtlpReceiver;
  let application: TestApplication;
  beforeEach(async () => {
    receiver = await OtlpReceiver.start();
  });
  afterEach(async () => {
    await application.app.close();
    receiver.stop();
  });

  const start = async (tracing: PerformanceOptions['tracing'] = {}): Promise<void> => {
    application = await startApplication(
      platform,
      { controllers: [TenantController] },
      { tracing: { endpoint: receiver.endpoint, ...tracing } },
    );
  };
  const ask = async (headers: Record<string, string>): Promise<Seen> =>
    (await (await fetchFromOutside(`${application.url}/tenant`, { headers })).json()) as Seen;
  const parent = (flags: '00' | '01', traceId = randomBytes(16).toString('hex')): string =>
    `00-${traceId}-b7ad6b7169203331-${flags}`;
  /** The number of exported requests after some with this flag. */
  const exported = async (flags: '00' | '01', requests: number): Promise<number> => {
    for (let count = 0; count < requests; count++) await ask({ traceparent: parent(flags) });
    await until(() => application.operation('GET /tenant')?.count === requests);
    await application.app.close();
    return receiver.spans.filter(({ name }) => name === 'GET /tenant').length;
  };

  it('do not put baggage into the context, nor into outgoing calls', async () => {
    await start();
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const seen = await ask({ baggage: 'tenant=shop', traceparent: parent('01', traceId) });
    expect(seen).toMatchObject({ traceId });
    expect([seen.baggage, seen.sent['baggage']]).toEqual([undefined, undefined]);
    expect(seen.sent['traceparent']).toContain(traceId);
    const alone = await ask({ baggage: 'tenant=shop' });
    expect([alone.baggage, alone.sent['baggage']]).toEqual([undefined, undefined]);
  });

  it('do so with trustIncomingBaggage', async () => {
    await start({ trustIncomingBaggage: true });
    const baggage = 'tenant=shop';
    for (const headers of [{ baggage }, { baggage, traceparent: parent('01') }] as Record<string, string>[])
      expect(await ask(headers)).toMatchObject({ baggage: 'shop', sent: { baggage: 'tenant=shop' } });
    expect((await ask({})).baggage).toBeUndefined();
  });

  it('do not export more than the ratio', async () => {
    await start({ sampling: { ratio: 0 } });
    expect(await exported('01', 20)).toBe(0);
  });

  it('export all that they mark with trustIncomingSampling', async () => {
    await start({ sampling: { ratio: 0 }, trustIncomingSampling: true });
    expect(await exported('01', 20)).toBe(20);
  });

  it('are sampled by their trace id, in each service alike', async () => {
    await start({ sampling: { ratio: 0.5 } });
    const count = await exported('01', 100);
    expect(count).toBeGreaterThan(15);
    expect(count).toBeLessThan(85);
  });

  it('export all by default, but those that they mark as not sampled', async () => {
    await start();
    expect(await exported('01', 5)).toBe(5);
    await start();
    receiver.spans.length = 0;
    expect(await exported('00', 5)).toBe(0);
  });
});
