import { mkdtempSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { FleetView } from '../../lib/fleet/fleet-view.js';
import type { FaultProcess } from '../faults/process.js';
import { instanceProcesses, portOf, REDIS, redisAnswers } from './instance-processes.js';

const { start, pathOf } = instanceProcesses();

async function viewFrom(port: number): Promise<FleetView> {
  const response = await fetch(`http://127.0.0.1:${port}/performance/fleet`, {
    headers: { connection: 'close' },
  });
  return (await response.json()) as FleetView;
}

/** The view of an instance once it meets a condition. */
async function viewWhen(
  port: number,
  condition: (view: FleetView) => boolean,
  patienceMs = 40_000,
): Promise<FleetView> {
  const end = Date.now() + patienceMs;
  for (;;) {
    const view = await viewFrom(port);
    if (condition(view)) return view;
    if (Date.now() > end) throw new Error(`the condition did not come to hold: ${JSON.stringify(view)}`);
    await sleep(200);
  }
}

/** Sends each request to the next of several ports, as a load balancer does. */
async function roundRobin(ports: readonly number[]): Promise<Server> {
  let turn = 0;
  const server = createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method, url, headers } = incoming;
    const port = ports[turn++ % ports.length];
    const forwarded = request({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.once('error', () => outgoing.writeHead(502).end());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const isLive = (view: FleetView, count: number): boolean =>
  view.instances.filter(({ state }) => state === 'live').length === count;

describe.each(['redis', 'directory'])('three instances that share a %s', (kind) => {
  it('see each other behind a load balancer, and one that is killed is lost', async () => {
    if (kind === 'redis' && !(await redisAnswers())) {
      process.stderr.write('skipped: instances that share a Redis, as none answers\n');
      return;
    }
    const env = {
      ...{ REDIS, NAMESPACE: `fleet-test-${process.pid}-${Date.now()}` },
      STORE: kind === 'redis' ? 'redis' : pathOf('shared'),
    };
    const [one, two, three] = ['1.0.0', '1.0.0', '1.1.0'].map((VERSION) => start({ ...env, VERSION }));
    const ports = await Promise.all([one, two, three].map((each) => portOf(each as FaultProcess)));
    const proxy = await roundRobin(ports);
    try {
      const { port } = proxy.address() as AddressInfo;
      for (let call = 0; call < 30; call++) await (await fetch(`http://127.0.0.1:${port}/fast/1`)).text();
      const counted = (view: FleetView): number =>
        view.operations.find(({ name }) => name === 'GET /fast/:id')?.lifetime.count ?? 0;
      for (const each of ports) {
        const view = await viewWhen(each, (seen) => isLive(seen, 3) && counted(seen) === 30);
        expect(new Set(view.instances.map(({ id }) => id)).size).toBe(3);
        expect(view.instances.map(({ requests }) => requests?.minute.count)).toEqual([10, 10, 10]);
        expect(view.versions.map(({ version, instances }) => [version, instances]).sort()).toEqual([
          ['1.0.0', 2],
          ['1.1.0', 1],
        ]);
        expect(view.operations.find(({ name }) => name === 'GET /fast/:id')).toMatchObject({ instances: 3 });
        expect(view).toMatchObject({
          ignored: 0,
          omitted: 0,
          store: { kind: kind === 'redis' ? 'shared' : kind },
        });
        expect(view.store.problem).toBeUndefined();
      }
      // A slow operation of one opens through the others.
      await (await fetch(`http://127.0.0.1:${ports[1]}/busy`)).text();
      const isBusy = ({ name }: { name: string }): boolean => name === 'GET /busy';
      const { slow } = await viewWhen(ports[0] as number, (seen) => seen.slow.some(isBusy));
      const { id, instance: recordedBy } = slow.find(isBusy) ?? {};
      expect(recordedBy).toContain(`-${two?.child.pid}-`);
      for (const each of ports) {
        const answer = await fetch(`http://127.0.0.1:${each}/performance/slow/${id}`);
        expect(answer.status).toBe(200);
        const operation = (await answer.json()) as Record<string, unknown>;
        expect(operation).toMatchObject({ id, name: 'GET /busy', causes: expect.anything() });
        expect(operation['instance']).toBe(each === ports[1] ? undefined : recordedBy);
      }
      const victim = (three as FaultProcess).child.pid;
      (three as FaultProcess).kill('SIGKILL');
      const after = await viewWhen(ports[0] as number, (seen) => !isLive(seen, 3), 30_000);
      expect(after.instances.find(({ pid }) => pid === victim)).toMatchObject({
        state: 'lost',
        version: '1.1.0',
      });
      expect(counted(after)).toBe(20);
      // One that shuts down leaves at once.
      (two as FaultProcess).kill('SIGTERM');
      await (two as FaultProcess).ended;
      const left = await viewWhen(ports[0] as number, (seen) => isLive(seen, 1), 30_000);
      expect(left.instances.map(({ state }) => state)).toEqual(['live', 'lost']);
    } finally {
      proxy.close();
    }
  }, 120_000);
});

describe('workers of node:cluster', () => {
  it('find each other without configuration, and are distinguished in a scrape of their port', async () => {
    // The only thing that is not the default: other tests of this machine use the same one.
    const TMPDIR = mkdtempSync(pathOf('tmp-'));
    const cluster = start({ STORE: 'none', TMPDIR }, 'cluster.mjs');
    const port = await portOf(cluster);
    const view = await viewWhen(port, (seen) => isLive(seen, 2));
    expect(view.store.kind).toBe('directory');
    expect(view.instances.map(({ worker }) => worker).sort()).toEqual(['1', '2']);
    expect(new Set(view.instances.map(({ pid }) => pid)).size).toBe(2);
    const scraped = new Set<string>();
    for (let scrape = 0; scrape < 20 && scraped.size < 2; scrape++) {
      const metrics = await fetch(`http://127.0.0.1:${port}/performance/metrics`, {
        headers: { connection: 'close' },
      });
      const id = /^v8js_memory_heap_used_bytes\{service_instance_id="([^"]+)"/m.exec(
        await metrics.text(),
      )?.[1];
      if (id !== undefined) scraped.add(id);
    }
    expect([...scraped].sort()).toEqual(view.instances.map(({ id }) => id).sort());
    cluster.kill('SIGTERM');
  }, 120_000);
});
