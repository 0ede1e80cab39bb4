// Every kind of handler with the packages of Nest that call them, in both of their major versions and module formats, over
// real servers.
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InstalledProgram } from './installed-program';
import { type KafkaPeer, startKafka } from './kafka-peer';
import { describeWithRegistry } from './with-registry';

interface Measured {
  operations: Record<string, { count: number; errorCount: number }>;
  findings: Record<string, string>;
  traces: Record<string, { request: string; rpc: string; event: string }>;
  jobs: { request?: string; linked: string[] };
}

const PACKAGES = {
  11: {
    framework: '11',
    others: ['bullmq@11', 'cqrs@11', 'event-emitter@3', 'schedule@6', 'graphql@13', 'apollo@13'],
    nats: 'nats@2',
  },
  12: {
    framework: '12',
    others: ['bullmq@12', 'cqrs@12', 'event-emitter@12', 'schedule@12', 'graphql@14', 'apollo@14'],
    nats: '@nats-io/transport-node@3',
  },
} as const;
const FRAMEWORK = [
  'common',
  'core',
  'platform-express',
  'platform-fastify',
  'platform-ws',
  'microservices',
  'websockets',
];
const LIBRARIES = [
  '@apollo/server@5',
  '@as-integrations/express5@1',
  '@as-integrations/fastify@3',
  '@opentelemetry/api@1',
  'amqp-connection-manager',
  'amqplib',
  'bullmq@5',
  'graphql@16',
  'ioredis@5',
  'kafkajs@2',
  'mqtt@5',
  'reflect-metadata@0.2',
  'rxjs@7',
  'ws@8',
];
/** The transports whose messages have headers. */
const WITH_HEADERS = new Set(['nats', 'rabbitmq', 'mqtt', 'kafka']);
const SERVICES = { redis: 6379, nats: 4222, rabbitmq: 5672, mqtt: 1883 };
const PORT = 5150;

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    }).once('error', () => resolve(false));
  });
}

let kafka: KafkaPeer | undefined;

describeWithRegistry.each([11, 12] as const)('with Nest %i', (nest) => {
  let program: InstalledProgram;
  let services: string[] = [];

  beforeAll(async () => {
    kafka ??= await startKafka();
    const there = await Promise.all(
      Object.entries(SERVICES).map(async ([name, port]) => ((await answers(port)) ? [name] : [])),
    );
    services = there.flat();
    const missing = Object.keys(SERVICES).filter((name) => !services.includes(name));
    if (missing.length > 0)
      process.stderr.write(`skipped: messages by ${missing.join(', ')}, which do not answer\n`);
    const { framework, others, nats } = PACKAGES[nest];
    const packages = [
      ...FRAMEWORK.map((name) => `@nestjs/${name}@${framework}`),
      ...others.map((name) => `@nestjs/${name}`),
      nats,
      ...LIBRARIES,
    ];
    program = await InstalledProgram.create('every-handler', packages);
  }, 600_000);

  afterAll(async () => {
    await program.remove();
  });

  const transports = (): string[] => ['tcp', ...services, ...(kafka === undefined ? [] : ['kafka'])];

  describe.each([
    ['express', 'mjs'],
    ['fastify', 'mjs'],
    ['express', 'cjs'],
    ['fastify', 'cjs'],
  ] as const)('on %s as .%s', (platform, format) => {
    const result = {} as { measured: Measured };
    beforeAll(async () => {
      const port = PORT + (nest - 11) * 20 + (platform === 'fastify' ? 10 : 0);
      const args = [platform, String(port), ...services];
      if (kafka !== undefined) args.push(`kafka=${kafka.port}`);
      result.measured = await program.run<Measured>(format, args);
    }, 90_000);

    it('counts every call of every handler once, as an operation of its type', () => {
      const { operations } = result.measured;
      const perRound = transports().length;
      expect(operations).toMatchObject({
        'http GET /albums': { count: 3, errorCount: 0 },
        'http GET /broken': { count: 3, errorCount: 3 },
        'http query AllAlbums': { count: 3, errorCount: 0 },
        'http query failing': { count: 3, errorCount: 3 },
        'rpc UNIQUE.sum': { count: 3 * perRound, errorCount: 0 },
        'messaging process UNIQUE.created': { count: 3 * perRound, errorCount: 0 },
        'rpc send UNIQUE.sum': { count: 3 * perRound, errorCount: 0 },
        'messaging emit UNIQUE.created': { count: 3 * perRound, errorCount: 0 },
        'websocket Gateway.message': { count: 3, errorCount: 0 },
        'websocket Gateway connection': { count: 3, errorCount: 0 },
        'event Schedules.paid': { count: 3, errorCount: 0 },
        'event OrderPlacedHandler.handle': { count: 3, errorCount: 0 },
        'command PlaceOrderHandler.execute': { count: 3, errorCount: 0 },
        'command CountOrdersHandler.execute': { count: 3, errorCount: 0 },
        ...(services.includes('redis') && { 'queue Jobs.process welcome': { count: 3, errorCount: 0 } }),
      });
      expect(operations['schedule Schedules.tick']?.count).toBeGreaterThan(2);
      expect(Object.keys(operations).filter((name) => /unmatched|POST \/graphql/.test(name))).toEqual([]);
    });

    it('continues the trace of a request in the handlers of its messages where they have headers', () => {
      const { traces } = result.measured;
      expect(Object.keys(traces).sort()).toEqual(transports().sort());
      for (const [transport, { request, rpc, event }] of Object.entries(traces)) {
        const continues = WITH_HEADERS.has(transport);
        expect({ transport, rpc: rpc === request, event: event === request }).toEqual({
          transport,
          rpc: continues,
          event: continues,
        });
        expect(rpc).toMatch(/^[\da-f]{32}$/);
      }
    });

    it('links a job to the trace that added it', () => {
      const { request, linked } = result.measured.jobs;
      expect(linked).toEqual(services.includes('redis') ? [request] : []);
    });

    it('finds the queries that each of them repeats, with their line', () => {
      const expected = [
        'GET /albums',
        'query AllAlbums',
        'UNIQUE.sum',
        'process UNIQUE.created',
        'Gateway.message',
        'Schedules.paid',
        'Schedules.tick',
        'OrderPlacedHandler.handle',
        'PlaceOrderHandler.execute',
        'CountOrdersHandler.execute',
        ...(services.includes('redis') ? ['Jobs.process welcome'] : []),
      ];
      expect(result.measured.findings).toMatchObject(
        Object.fromEntries(expected.map((route) => [route, 'n_plus_one loadTracks'])),
      );
    });
  });
});

afterAll(() => kafka?.stop());
