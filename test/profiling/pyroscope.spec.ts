import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { context, propagation, trace } from '@opentelemetry/api';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { encodeCpuPprof } from '../../lib/profiling/pprof.js';
import { type PushedProfile, PyroscopePush } from '../../lib/profiling/pyroscope.js';
import { ingestName } from '../../lib/profiling/pyroscope-request.js';
import { decodePprof } from './pprof-decoder.js';
import { PyroscopeServer } from './pyroscope-server.js';

const SERVICE = { serviceName: 'shop', serviceVersion: '1.2.3', hostName: 'host-1' };
const CPU: PushedProfile = {
  type: 'cpu',
  startedAt: 1_700_000_000_900,
  endedAt: 1_700_000_004_100,
  sampleRate: 100,
};
const BYTES = Uint8Array.of(1, 2, 3);
const TOKEN = 'a-token-that-is-secret';

let server: PyroscopeServer;
let url: string;
let warnings: string[];
const pushTo = (options: object = {}): PyroscopePush =>
  new PyroscopePush({ url, ...options }, SERVICE, (message) => warnings.push(message));

beforeEach(async () => {
  warnings = [];
  server = new PyroscopeServer();
  url = await server.listen();
});
afterEach(() => server.close());

describe('a profile that is pushed', () => {
  it("arrives in Pyroscope's format", async () => {
    const callFrame = { functionName: 'f', scriptId: '1', url: '/a.js', lineNumber: 0, columnNumber: 0 };
    const pprof = await encodeCpuPprof(
      { nodes: [{ id: 1, callFrame }], startTime: 0, endTime: 10, samples: [1], timeDeltas: [5] },
      { startedAt: CPU.startedAt, intervalUs: 10_000, labels: { span_id: '00f067aa0ba902b7' } },
    );
    const push = pushTo({ authToken: TOKEN, tenantId: 'team-7' });
    push.push(pprof, { ...CPU, labels: { reason: 'slow_operation' } });
    await push.flush(5000);
    const [received] = server.received;
    expect(received).toMatchObject({
      method: 'POST',
      path: '/ingest',
      query: {
        name: 'shop{hostname=host-1,version=1.2.3,reason=slow_operation}',
        from: '1700000000',
        until: '1700000005',
        spyName: 'nodespy',
        sampleRate: '100',
      },
      headers: { authorization: `Bearer ${TOKEN}`, 'x-scope-orgid': 'team-7' },
    });
    expect(Object.keys(received?.fields ?? {})).toEqual(['profile']);
    const decoded = decodePprof(received?.fields['profile'] ?? BYTES);
    expect(decoded.types).toEqual(['samples/count', 'cpu/nanoseconds']);
    expect(decoded.samples[0]?.labels).toEqual({ span_id: '00f067aa0ba902b7' });
    expect(push.status).toEqual({ sent: 1, failed: 0, dropped: 0, waiting: 0, failure: undefined });
    expect(warnings).toEqual([]);
  });

  it('goes below the path of the address, without unconfigured headers', async () => {
    const push = pushTo({ url: `${url}/pyroscope/` });
    push.push(BYTES, { type: 'allocations', startedAt: 0, endedAt: 1000 });
    await push.flush(5000);
    expect(server.received[0]).toMatchObject({ path: '/pyroscope/ingest' });
    expect(server.received[0]?.query).not.toHaveProperty('sampleRate');
    expect(server.received[0]?.headers).not.toHaveProperty('authorization');
    expect(server.received[0]?.headers).not.toHaveProperty('x-scope-orgid');
  });

  it('turns user name and password of the address into a header', async () => {
    const push = pushTo({ url: url.replace('//', '//4711:p%40ss@') });
    push.push(BYTES, CPU);
    await push.flush(5000);
    const basic = Buffer.from('4711:p@ss').toString('base64');
    expect(server.received[0]?.headers.authorization).toBe(`Basic ${basic}`);
  });

  it('is sent after the previous ones, one at a time', async () => {
    server.hold = true;
    const push = pushTo();
    for (let i = 0; i < 3; i++) push.push(Uint8Array.of(i), CPU);
    await server.count(1);
    expect(push.status.waiting).toBe(2);
    server.hold = false;
    server.held[0]?.end();
    await push.flush(5000);
    expect(server.received.map(({ fields }) => fields['profile']?.[0])).toEqual([0, 1, 2]);
  });

  it('is not traced as an outgoing call, unlike one of the application', async () => {
    const exporter = new InMemorySpanExporter();
    const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    provider.register();
    const unregister = registerInstrumentations({ instrumentations: [new UndiciInstrumentation()] });
    try {
      const push = pushTo();
      await trace.getTracer('test').startActiveSpan('request', async (span) => {
        push.push(BYTES, CPU);
        await push.flush(5000);
        span.end();
      });
      expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['request']);
      expect(server.received[0]?.headers).not.toHaveProperty('traceparent');
      await fetch(url, { method: 'POST', body: new FormData() });
      expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['request', 'POST']);
    } finally {
      unregister();
      await provider.shutdown();
      trace.disable();
      context.disable();
      propagation.disable();
    }
  });
});

describe('the name of a series', () => {
  it.each<[string, object, Record<string, string>, string]>([
    ['closes its braces itself', {}, { a: 'x},b=y' }, 'shop{hostname=host-1,version=1.2.3,a=x__b=y}'],
    [
      'keeps to letters in names',
      {},
      { 'a-b}': '1', '1st': '2' },
      'shop{hostname=host-1,version=1.2.3,a_b_=1,label_1st=2}',
    ],
    [
      'leaves the server its own names',
      {},
      { __name__: 'x' },
      'shop{hostname=host-1,version=1.2.3,name__=x}',
    ],
    ['leaves out what is empty', { serviceVersion: undefined }, { a: ' ' }, 'shop{hostname=host-1}'],
    ['has one line', {}, { a: 'x\r\ny' }, 'shop{hostname=host-1,version=1.2.3,a=x__y}'],
    [
      'allows paths of services',
      { serviceName: '@me/shop{x=1}' },
      {},
      '_me/shop_x_1_{hostname=host-1,version=1.2.3}',
    ],
    ['is never without a service', { serviceName: '' }, {}, 'unknown_service{hostname=host-1,version=1.2.3}'],
  ])('%s', (_what, service, labels, name) => {
    expect(ingestName({ ...SERVICE, ...service }, labels)).toBe(name);
  });
});

describe('a server that fails', () => {
  it('is logged once until it works again, and gets no profile twice', async () => {
    const push = pushTo({ authToken: TOKEN, tenantId: TOKEN });
    const send = async (status: number): Promise<void> => {
      server.status = status;
      push.push(BYTES, CPU);
      await push.flush(5000);
    };
    for (const status of [401, 500, 302]) await send(status);
    expect(warnings).toEqual([expect.stringContaining(`cannot be sent to ${url} (it answered 401)`)]);
    expect(push.status).toMatchObject({ sent: 0, failed: 3, failure: 'it answered 302' });
    await send(200);
    expect(push.status).toMatchObject({ sent: 1, failure: undefined });
    await send(503);
    expect(warnings).toHaveLength(2);
    expect(server.received).toHaveLength(5);
    expect(warnings.join()).not.toContain(TOKEN);
  });

  it('may be gone, and no secret is logged', async () => {
    await server.close();
    const push = pushTo({ url: url.replace('//', `//user:${TOKEN}@`) });
    push.push(BYTES, CPU);
    await push.flush(5000);
    expect(warnings).toEqual([expect.stringContaining(`${url} (ECONNREFUSED)`)]);
    expect(warnings.join()).not.toContain(TOKEN);
    server = new PyroscopeServer();
    await server.listen();
  });

  it('receives no header that cannot be sent, nor does the log', async () => {
    const push = pushTo({ authToken: `${TOKEN}\nx: y` });
    push.push(BYTES, CPU);
    await push.flush(5000);
    expect(push.status).toMatchObject({ failed: 1 });
    expect(warnings.join()).toContain('TypeError');
    expect(warnings.join()).not.toContain(TOKEN);
  });

  it.each([undefined, '', 'localhost:4040', `ftp://user:${TOKEN}@host`, `http://user:${TOKEN}@`])(
    'cannot be %s, and the message does not repeat it',
    (address) => {
      const make = (): PyroscopePush => pushTo({ url: address });
      expect(make).toThrow('Invalid profiling.pyroscope.url: expected the address of a server');
      expect(make).toThrow(expect.not.objectContaining({ message: expect.stringContaining(TOKEN) }));
    },
  );
});

describe('a server that is slow', () => {
  it('holds 16 waiting profiles; the oldest is dropped, which is logged once', async () => {
    server.hold = true;
    const push = pushTo();
    push.push(Uint8Array.of(0), CPU);
    await server.count(1);
    for (let i = 1; i <= 20; i++) push.push(Uint8Array.of(i), CPU);
    expect(push.status).toMatchObject({ waiting: 16, dropped: 4 });
    expect(warnings).toEqual([expect.stringContaining('the oldest of 16 waiting profiles are dropped')]);
    server.hold = false;
    server.held[0]?.end();
    await push.flush(5000);
    const rest = Array.from({ length: 16 }, (_, i) => i + 5);
    expect(server.received.map(({ fields }) => fields['profile']?.[0])).toEqual([0, ...rest]);
  });

  it('delays a flush up to its timeout, and sending continues afterwards', async () => {
    server.hold = true;
    const push = pushTo();
    for (let i = 0; i < 3; i++) push.push(Uint8Array.of(i), CPU);
    await server.count(1);
    await push.flush(20);
    expect(push.status).toMatchObject({ sent: 0, dropped: 2, waiting: 0 });
    server.hold = false;
    push.push(Uint8Array.of(9), CPU);
    await push.flush(5000);
    expect(push.status).toMatchObject({ sent: 1, failed: 1, waiting: 0 });
    expect(server.received.map(({ fields }) => fields['profile']?.[0])).toEqual([0, 9]);
  });

  it('does not delay a flush if nothing was sent', async () => {
    await expect(pushTo().flush(60_000)).resolves.toBeUndefined();
  });
});
