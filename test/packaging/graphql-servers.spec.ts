// GraphQL by each server that Nest has a driver for, in both of its major versions.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InstalledProgram } from './installed-program';
import { describeWithRegistry } from './with-registry';

interface Measured {
  operations: Record<string, { count: number; errorCount: number }>;
  statements: number;
  findings: Record<string, string>;
  slow: string[];
  answers: string[];
}

type Server = 'apollo' | 'federation' | 'mercurius' | 'yoga';
type Platform = 'express' | 'fastify';

const FRAMEWORK = ['common', 'core', 'platform-express', 'platform-fastify'];
const DRIVERS = {
  11: ['graphql@13', 'apollo@13', 'mercurius@13'],
  12: ['graphql@14', 'apollo@14', 'mercurius@14'],
} as const;
const LIBRARIES = [
  '@apollo/server@5',
  '@apollo/subgraph@2.14',
  '@as-integrations/express5@1',
  '@as-integrations/fastify@3',
  '@opentelemetry/api@1',
  'graphql@16',
  'graphql-ws@6',
  'mercurius@16',
  'reflect-metadata@0.2',
  'rxjs@7',
  'ws@8',
];
const SERVERS: readonly (readonly [Server, Platform])[] = [
  ['apollo', 'express'],
  ['apollo', 'fastify'],
  ['federation', 'express'],
  ['federation', 'fastify'],
  ['mercurius', 'fastify'],
];
/** Its driver has no version for Nest 12. */
const YOGA: readonly (readonly [Server, Platform])[] = [
  ['yoga', 'express'],
  ['yoga', 'fastify'],
];
const PORT = 5250;
/** Statements of a round: of 12 albums, of one that is added, and of the events of a subscription or a reference. */
const STATEMENTS = { apollo: 25, mercurius: 25, yoga: 25, federation: 14 } as const;

describeWithRegistry.each([11, 12] as const)('with Nest %i', (nest) => {
  let program: InstalledProgram;

  beforeAll(async () => {
    program = await InstalledProgram.create('graphql-servers', [
      ...FRAMEWORK.map((name) => `@nestjs/${name}@${nest}`),
      ...DRIVERS[nest].map((name) => `@nestjs/${name}`),
      ...(nest === 11 ? ['@graphql-yoga/nestjs@3', 'graphql-yoga@5'] : []),
      ...LIBRARIES,
    ]);
  }, 300_000);

  afterAll(async () => {
    await program.remove();
  });

  describe.each(nest === 11 ? [...SERVERS, ...YOGA] : SERVERS)('%s on %s', (server, platform) => {
    const result = {} as { measured: Measured };

    beforeAll(async () => {
      const args = [server, platform, String(PORT + nest - 11)];
      result.measured = await program.run<Measured>(platform === 'express' ? 'cjs' : 'mjs', args);
    }, 90_000);

    it('names each operation by its client, its first resolver or its entities, and counts it once', () => {
      expect(result.measured.operations).toEqual({
        'query AlbumsWithTracks': { count: 3, errorCount: 0 },
        'query albums': { count: 3, errorCount: 0 },
        'query failing': { count: 3, errorCount: 3 },
        'mutation AddOne': { count: 3, errorCount: 0 },
        ...(server === 'federation' && { 'query _entities': { count: 3, errorCount: 0 } }),
        ...(server === 'yoga' && { 'subscription Added': { count: 3, errorCount: 0 } }),
        // The connections of its subscriptions.
        ...(server === 'mercurius' && { 'GET /graphql': { count: 3, errorCount: 0 } }),
      });
      expect(result.measured.statements).toBe(3 * STATEMENTS[server]);
    });

    it('finds what a resolver repeats, and nothing in the events of a subscription', () => {
      const { findings, slow } = result.measured;
      expect(findings).toEqual({ 'query AlbumsWithTracks': 'n_plus_one loadTracks' });
      expect(slow).not.toContain('subscription Added');
      expect(slow).not.toContain('GET /graphql');
    });

    it('leaves the answers as they are', () => {
      const { answers } = result.measured;
      expect(answers.filter((answer) => answer.includes('"errors"')).length).toBe(3);
      expect(answers[0]).toMatch(/"tracks":11\}\]\}\}\s*$/);
      if (server === 'yoga') expect(answers[4]?.match(/"added":/g)).toHaveLength(12);
    });
  });
});
