import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type Profiler, Session } from 'node:inspector';
import type { AddressInfo } from 'node:net';
import { runInThisContext } from 'node:vm';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Deadline } from '../../lib/async/deadline.js';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';
import { encodeOtlpProfile, type OtlpProfileInfo } from '../../lib/profiling/otlp-profile.js';
import { OtlpPush } from '../../lib/profiling/otlp-push.js';
import { ProfileShipping } from '../../lib/profiling/profile-shipping.js';
import { PerformanceOptionsError } from '../../lib/validation/options-error.js';
import { infoOf, P1 } from '../fleet/profiles.js';
import { decodeOtlpProfile } from './otlp-decoder.js';

const LINK = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const INFO: OtlpProfileInfo = {
  id: P1,
  startedAt: 1_700_000_000_123.4,
  intervalUs: 10_000,
  resource: { 'service.name': 'shop', 'service.instance.id': '' },
  link: LINK,
  attributes: { 'performance.operation.name': 'GET /albums' },
};
const frame = (functionName: string, url = '', lineNumber = -1): Profiler.ProfileNode['callFrame'] => ({
  ...{ scriptId: '0', functionName, url, lineNumber },
  columnNumber: -1,
});
/** `sell` calls `hash` and an anonymous function; 10 ms of garbage collection, 10 ms idle. */
const PROFILE: Profiler.Profile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 3, 6] },
    { id: 2, callFrame: frame('(idle)') },
    { id: 3, callFrame: frame('sell', 'file:///app/shop.js', 9), children: [4, 5] },
    { id: 4, callFrame: frame('hash', 'file:///app/shop.js', 19) },
    { id: 5, callFrame: frame('', 'file:///app/shop.js', 29) },
    { id: 6, callFrame: frame('(garbage collector)') },
  ],
  startTime: 1_700_000_000_000_000,
  endTime: 1_700_000_000_060_000,
  samples: [4, 4, 5, 6, 2],
  timeDeltas: [0, 10_000, 10_000, 10_000, 10_000],
};

describe('a CPU profile as a request of OTLP', () => {
  it('has a sample of CPU nanoseconds for each call path, with the link of its span', () => {
    const { samples, type, period, ...decoded } = decodeOtlpProfile(encodeOtlpProfile(PROFILE, INFO));
    const link = [LINK.traceId, LINK.spanId];
    expect(samples).toEqual([
      {
        stack: ['hash (/app/shop.js:20)', 'sell (/app/shop.js:10)'],
        link,
        values: ['20000000'],
        timestampsUnixNano: [],
      },
      {
        stack: ['(anonymous) (/app/shop.js:30)', 'sell (/app/shop.js:10)'],
        link,
        values: ['10000000'],
        timestampsUnixNano: [],
      },
      { stack: ['(garbage collector) (:0)'], link, values: ['10000000'], timestampsUnixNano: [] },
    ]);
    expect(type).toBe('cpu/nanoseconds');
    expect(period).toEqual(['10000000', 'cpu/nanoseconds']);
    expect(decoded).toMatchObject({
      resource: { 'service.name': 'shop', 'service.instance.id': '' },
      scope: 'nestjs-performance',
      timeUnixNano: '1700000000123400000',
      durationNano: '60000000',
      profileId: expect.stringMatching(/^[0-9a-f]{32}$/),
      attributes: { 'performance.operation.name': 'GET /albums' },
      frames: { 'profile.frame.type': 'v8js' },
    });
  });

  it('has tables that begin with a zero value, and no entry twice', () => {
    const { dictionary } = decodeOtlpProfile(encodeOtlpProfile(PROFILE, INFO));
    const zero = { traceId: new Uint8Array(16), spanId: new Uint8Array(8) };
    expect(dictionary.stringTable[0]).toBe('');
    expect(dictionary.linkTable).toHaveLength(2);
    expect(dictionary.linkTable[0]).toEqual(zero);
    expect(dictionary.mappingTable).toHaveLength(1);
    expect(dictionary.functionTable[0]).toMatchObject({ nameStrindex: 0, filenameStrindex: 0 });
    expect(dictionary.locationTable[0]).toMatchObject({ lines: [], attributeIndices: [] });
    expect(dictionary.stackTable[0]).toEqual({ locationIndices: [] });
    expect(dictionary.attributeTable[0]).toMatchObject({ keyStrindex: 0 });
    for (const table of Object.values(dictionary)) {
      const entries = table.map((entry) => JSON.stringify(entry));
      expect(new Set(entries).size).toBe(entries.length);
    }
  });

  it('has no link where it belongs to no span, and its id is that of the profile', () => {
    const { link: _link, ...unlinked } = INFO;
    const decoded = decodeOtlpProfile(encodeOtlpProfile(PROFILE, unlinked));
    expect(decoded.samples.map(({ link }) => link)).toEqual([undefined, undefined, undefined]);
    expect(decoded.dictionary.linkTable).toHaveLength(1);
    expect(decodeOtlpProfile(encodeOtlpProfile(PROFILE, INFO)).profileId).toBe(decoded.profileId);
    const other = encodeOtlpProfile(PROFILE, { ...INFO, id: 'other' });
    expect(decodeOtlpProfile(other).profileId).not.toBe(decoded.profileId);
  });

  it('of an idle process has no samples', () => {
    const decoded = decodeOtlpProfile(encodeOtlpProfile({ ...PROFILE, samples: [2], timeDeltas: [0] }, INFO));
    expect(decoded.samples).toEqual([]);
  });

  it('names functions in any language', () => {
    const profile = { ...PROFILE, nodes: [{ id: 4, callFrame: frame('größe𝒳', '/app/ß.js', 200_000) }] };
    const decoded = decodeOtlpProfile(encodeOtlpProfile({ ...profile, samples: [4], timeDeltas: [0] }, INFO));
    expect(decoded.samples[0]?.stack).toEqual(['größe𝒳 (/app/ß.js:200001)']);
  });

  it('of real work has its time', () => {
    const burn = runInThisContext(
      '(function burnForOtlp(until) { let sum = 0; while (!until()) for (let i = 0; i < 1e4; i++) sum += Math.sqrt(i); return sum; })',
      { filename: '/srv/burn.js' },
    ) as (until: () => boolean) => number;
    const session = new Session();
    session.connect();
    const post = (method: string, params: object = {}): { profile: Profiler.Profile } => {
      let answer: unknown;
      session.post(method, params, (error, result) => {
        if (error) throw error;
        answer = result;
      });
      return answer as { profile: Profiler.Profile };
    };
    post('Profiler.enable');
    post('Profiler.setSamplingInterval', { interval: 1000 });
    post('Profiler.start');
    const end = performance.now() + 100;
    burn(() => performance.now() > end);
    const { profile } = post('Profiler.stop');
    session.disconnect();
    const decoded = decodeOtlpProfile(encodeOtlpProfile(profile, INFO));
    const own = decoded.samples.filter(({ stack }) =>
      stack.some((one) => one.startsWith('burnForOtlp (/srv/burn.js:')),
    );
    expect(own.length).toBeGreaterThan(0);
    const total = decoded.samples.reduce((sum, { values }) => sum + Number(values[0]), 0);
    expect(total).toBeLessThanOrEqual(Number(decoded.durationNano));
  });

  it('is refused with the reason if the profile is malformed', () => {
    const broken = { ...PROFILE, samples: [77] } as Profiler.Profile;
    expect(() => encodeOtlpProfile(broken, INFO)).toThrow('Invalid profile.timeDeltas.length');
  });
});

let closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing) await close();
  closing = [];
});

/** A receiver of OTLP/HTTP. */
async function receiver(status = 200) {
  const received: { path: string; headers: IncomingMessage['headers']; body: Buffer }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) });
    response.writeHead(status, { location: '/elsewhere' }).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  closing.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('profiles by OTLP', () => {
  const settings = (otlp: object) =>
    resolveOptions({ serviceName: 'shop', serviceVersion: '1.2.3', hostName: 'host-1', profiling: { otlp } });

  it('are sent gzipped, with the resource of spans and the link of the slow span', async () => {
    const { received, url } = await receiver();
    const warnings: string[] = [];
    const shipping = new ProfileShipping(settings({ url, headers: { 'x-tenant': 'team-7' } }), (message) =>
      warnings.push(message),
    );
    const info = infoOf(P1, 500);
    shipping.ship(info, JSON.stringify(PROFILE));
    shipping.ship(infoOf(P1, 500, 'allocations'), '{}');
    shipping.ship(infoOf(P1, 500, 'heap_snapshot'), '{}');
    await shipping.flush(new Deadline(5000));
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({
      path: '/v1development/profiles',
      headers: {
        'content-type': 'application/x-protobuf',
        'content-encoding': 'gzip',
        'x-tenant': 'team-7',
      },
    });
    expect(received[0]?.headers['traceparent']).toBeUndefined();
    const decoded = decodeOtlpProfile(gunzipSync(received[0]?.body ?? Buffer.alloc(0)));
    expect(decoded.resource).toMatchObject({
      'service.name': 'shop',
      'service.version': '1.2.3',
      'host.name': 'host-1',
      'service.instance.id': expect.stringContaining(`-${process.pid}-`),
    });
    expect(decoded.samples[0]?.link).toEqual([info.operation?.traceId, info.operation?.spanId]);
    expect(decoded.attributes).toEqual({
      'performance.operation.type': 'http',
      'performance.operation.name': 'GET /albums',
    });
    expect(shipping.status).toEqual({
      otlp: { sent: 1, failed: 0, dropped: 0, waiting: 0, failure: undefined },
    });
    expect(shipping.ships).toBe(false);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['', '/v1development/profiles'],
    ['/', '/v1development/profiles'],
    ['/otlp/', '/otlp/v1development/profiles'],
    ['/api/default/v1/profiles', '/api/default/v1/profiles'],
  ])('go, for an address with the path "%s", to %s', async (path, expected) => {
    const { received, url } = await receiver();
    const push = new OtlpPush({ url: `${url}${path}` }, () => {});
    push.push(Uint8Array.of(1));
    await push.flush(5000);
    expect(received.map((one) => one.path)).toEqual([expected]);
  });

  it('that are refused are reported once, without secrets, and sent to no other address', async () => {
    const { received, url } = await receiver(307);
    const warnings: string[] = [];
    const push = new OtlpPush(
      { url: url.replace('//', '//user:hidden-word@'), headers: { 'x-key': 'hidden-key' } },
      (message) => warnings.push(message),
    );
    for (let time = 0; time < 3; time++) push.push(Uint8Array.of(time));
    await push.flush(5000);
    expect(received.map(({ path }) => path)).toEqual(Array(3).fill('/v1development/profiles'));
    expect(warnings).toEqual([expect.stringContaining('(it answered 307)')]);
    expect(warnings[0]).not.toContain('hidden');
    expect(push.status).toMatchObject({ sent: 0, failed: 3 });
  });

  it('are not sent without an address, or while the module is disabled', async () => {
    const { received, url } = await receiver();
    for (const options of [settings({}), { ...settings({ url }), enabled: false }]) {
      const shipping = new ProfileShipping(options, () => {});
      shipping.ship(infoOf(P1, 500), JSON.stringify(PROFILE));
      await shipping.flush(new Deadline(1000));
      expect(shipping.status).toEqual({});
    }
    expect(received).toEqual([]);
  });

  it('that cannot be encoded are reported once', async () => {
    const { url } = await receiver();
    const warnings: string[] = [];
    const shipping = new ProfileShipping(settings({ url }), (message) => warnings.push(message));
    for (let time = 0; time < 2; time++) shipping.ship(infoOf(P1, 500), '{"nodes":5}');
    await shipping.flush(new Deadline(1000));
    expect(warnings).toEqual([expect.stringMatching(/^A profile could not be sent: .*profile\.nodes/)]);
  });

  it.each([
    [{ url: 'localhost:4318' }],
    [{ url: 'ftp://localhost' }],
    [{ headers: { 'a b': 'x' } }],
    [{ headers: { a: 'x\r\ny' } }],
    [{ token: 'x' }],
  ])('refuse the options %j', (otlp) => {
    expect(() => settings(otlp)).toThrow(PerformanceOptionsError);
  });
});
