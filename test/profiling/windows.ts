import { pbkdf2Sync } from 'node:crypto';
import { ExecutionLog } from '../../lib/profiling/execution-log.js';
import { samplesOf } from '../../lib/profiling/operation-samples.js';
import type { CodeFunction, SampleWindow } from '../../lib/profiling/sample-window.js';

/** A function of a call: its name, file, and the line of its definition. */
export type Call = readonly [name: string, url?: string, line?: number];

/** A sample: when, the calls from the outermost to the innermost, and the line that ran. */
export type Sample = readonly [at: number, stack: readonly Call[], line?: number];

/** Functions of an application and of its packages. */
export const APP = '/app/shop.js';
export const ORM = '/app/node_modules/orm/index.js';
export const SERVE: Call = ['serve', '/app/node_modules/http/index.js', 5];
export const SELL: Call = ['sell', APP, 10];
export const HASH: Call = ['hash', APP, 20];

export const IDLE_STACK: readonly Call[] = [['(idle)']];

/** A window as a sampler would have made it. */
export function windowWith(startedAt: number, endedAt: number, samples: readonly Sample[]): SampleWindow {
  const functions: CodeFunction[] = [{ name: '(root)', url: '', line: 0, column: 0 }];
  const nodes = [{ fn: 0, parent: -1, line: 0 }];
  const known = new Map<string, number>();
  const place = <T>(key: string, list: T[], make: () => T): number => {
    let index = known.get(key);
    if (index === undefined) {
      index = list.push(make()) - 1;
      known.set(key, index);
    }
    return index;
  };
  const leaves = samples.map(([, stack, line = 0]) => {
    let node = 0;
    for (const [depth, [name, url = '', at = 0]] of stack.entries()) {
      const fn = place(`f ${name} ${url} ${at}`, functions, () => ({ name, url, line: at, column: 1 }));
      const own = depth === stack.length - 1 ? line : 0;
      const parent = node;
      node = place(`n ${parent} ${fn} ${own}`, nodes, () => ({ fn, parent, line: own }));
    }
    return node;
  });
  return {
    startedAt,
    endedAt,
    intervalMs: 10,
    functions,
    nodeFunction: Int32Array.from(nodes, ({ fn }) => fn),
    nodeParent: Int32Array.from(nodes, ({ parent }) => parent),
    nodeLine: Int32Array.from(nodes, ({ line }) => line),
    sampleNode: Int32Array.from(leaves),
    sampleAt: Float64Array.from(samples, ([at]) => at),
  };
}

/** Holds the loop, in calls of Node's `run`: V8 takes code of JavaScript into its caller's, and then it has no name. */
export function guilty(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until) pbkdf2Sync('password', 'salt', 500, 32, 'sha512');
}
export const GUILTY = 'run';

/** The samples of {@link guilty} in windows, each once. */
export function guiltySamples(
  windows: readonly SampleWindow[],
  from = 0,
  to = Number.POSITIVE_INFINITY,
): number {
  const all = { from, to, number: 0, alone: true, whole: true };
  const { window, place } = samplesOf(windows, all, new ExecutionLog());
  return window.filter((which, index) => {
    const { functions, nodeFunction, nodeParent, sampleNode } = windows[which] as SampleWindow;
    let node = sampleNode[place[index] as number] as number;
    while (node >= 0 && functions[nodeFunction[node] as number]?.name !== GUILTY)
      node = nodeParent[node] as number;
    return node >= 0;
  }).length;
}
