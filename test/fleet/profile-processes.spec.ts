import { mkdtempSync, rmSync } from 'node:fs';
import type { Profiler } from 'node:inspector';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { FaultProcess } from '../faults/process.js';

const REDIS = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';

let processes: FaultProcess[] = [];
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nestjs-performance-fleet-'));
});
afterEach(async () => {
  await Promise.all(processes.map((one) => one.remove()));
  processes = [];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function redisAnswers(): Promise<boolean> {
  const { hostname, port } = new URL(REDIS);
  return new Promise((resolve) => {
    const socket = connect(Number(port || 6379), hostname);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

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
            ...{ REDIS, NAMESPACE, STORE: kind === 'redis' ? kind : join(folder, 'fleet') },
            PROFILES: join(folder, kind, kind === 'redis' ? name : 'both'),
          };
          const one = new FaultProcess('../../fleet/programs/instance.mjs', [], { env });
          processes.push(one);
          return Number((await one.message('ready'))['ready']);
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
