import type { Profiler } from 'node:inspector';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { instanceProcesses, portOf, REDIS, redisAnswers } from './instance-processes.js';

const { start, pathOf } = instanceProcesses();

/** The answer for a path once it is not 404. */
async function found(url: string): Promise<Response> {
  for (const end = Date.now() + 30_000; ; await sleep(200)) {
    const response = await fetch(url, { headers: { connection: 'close' } });
    if (response.status !== 404 || Date.now() > end) return response;
  }
}

describe('the profile of a slow operation', () => {
  it.each([
    ['a Redis, and each its own directory of profiles', 'redis'],
    ['directories of a machine', 'directory'],
  ])(
    'opens through another instance, with %s',
    async (_, kind) => {
      if (kind === 'redis' && !(await redisAnswers())) {
        process.stderr.write('skipped: profiles of instances that share a Redis, as none answers\n');
        return;
      }
      const NAMESPACE = `profiles-test-${process.pid}-${Date.now()}`;
      const ports = await Promise.all(
        ['one', 'two'].map(async (name) => {
          const env = {
            ...{ REDIS, NAMESPACE, STORE: kind === 'redis' ? kind : pathOf('fleet') },
            PROFILES: pathOf(kind, kind === 'redis' ? name : 'both'),
          };
          return portOf(start(env));
        }),
      );
      const [own, other] = ports.map((port) => `http://127.0.0.1:${port}/performance`);
      // Sampling has begun.
      await sleep(1000);
      await (await fetch(`http://127.0.0.1:${ports[0]}/busy`)).text();
      const list = (await (await fetch(`${own}/slow?name=GET%20/busy`)).json()) as {
        id: string;
        profile?: string;
      }[];
      const { id, profile } = list[0] ?? {};
      expect(profile).toBeDefined();
      expect((await found(`${other}/slow/${id}`)).status).toBe(200);
      const response = await found(`${other}/profiles/${profile}`);
      expect(response.status).toBe(200);
      const { nodes } = (await response.json()) as Profiler.Profile;
      expect(nodes.map(({ callFrame }) => callFrame.functionName)).toContain('spin');
      const pprof = await fetch(`${other}/profiles/${profile}?format=pprof`);
      expect([...new Uint8Array(await pprof.arrayBuffer()).slice(0, 2)]).toEqual([0x1f, 0x8b]);
      const info = (await (await fetch(`${other}/profiles/${profile}/info`)).json()) as object;
      expect(info).toMatchObject({ id: profile, type: 'cpu', operation: { name: 'GET /busy' } });
      expect(info).not.toHaveProperty('path');
    },
    60_000,
  );
});
