import type { Profiler } from 'node:inspector';
import { type CodeFunction, codeName, type SampleWindow } from './sample-window.js';

/**
 * Converts an inspector profile to a compact form: functions once rather than per node, numbers in typed arrays.
 * @param clock `now` is the value of `performance.now()` when V8's clock is `clockUs`, in microseconds
 */
export function windowOf(
  { nodes, samples = [], timeDeltas = [], startTime, endTime }: Profiler.Profile,
  intervalMs: number,
  clock: { readonly now: number; readonly clockUs: number },
): SampleWindow {
  const toNow = (us: number): number => clock.now + (us - clock.clockUs) / 1000;
  const indexOf = new Map<number, number>();
  for (const [index, { id }] of nodes.entries()) indexOf.set(id, index);
  const functions = new Functions();
  const nodeFunction = new Int32Array(nodes.length);
  const nodeParent = new Int32Array(nodes.length).fill(-1);
  const nodeLine = new Int32Array(nodes.length);
  for (const [index, { callFrame, children, positionTicks }] of nodes.entries()) {
    nodeFunction[index] = functions.indexOf(callFrame);
    nodeLine[index] = lineOf(positionTicks);
    for (const child of children ?? []) nodeParent[indexOf.get(child) ?? 0] = index;
  }
  const sampleNode = new Int32Array(samples.length);
  const sampleAt = new Float64Array(samples.length);
  let us = startTime;
  let latest = startTime;
  for (const [index, id] of samples.entries()) {
    us += timeDeltas[index] ?? 0;
    // V8 reports the first samples of a window in the order in which it processed them.
    latest = Math.max(latest, us);
    sampleNode[index] = indexOf.get(id) ?? 0;
    sampleAt[index] = toNow(latest);
  }
  return {
    startedAt: toNow(startTime),
    endedAt: toNow(endTime),
    intervalMs,
    functions: functions.list,
    nodeFunction,
    nodeParent,
    nodeLine,
    sampleNode,
    sampleAt,
  };
}

/** The functions of a profile, without duplicates, with one shared string per script. */
class Functions {
  readonly list: CodeFunction[] = [];
  private readonly indices = new Map<string, number>();
  private readonly urls = new Map<string, string>();

  indexOf({
    functionName,
    scriptId,
    url,
    lineNumber,
    columnNumber,
  }: Profiler.ProfileNode['callFrame']): number {
    const key = scriptId === '0' ? functionName : `${scriptId}:${lineNumber}:${columnNumber}:${functionName}`;
    let index = this.indices.get(key);
    if (index === undefined) {
      index = this.list.length;
      this.indices.set(key, index);
      const shared = this.urls.get(url) ?? url;
      this.urls.set(url, shared);
      this.list.push({
        name: codeName(functionName),
        url: shared,
        line: lineNumber + 1,
        column: columnNumber + 1,
      });
    }
    return index;
  }
}

function lineOf(ticks: Profiler.PositionTickInfo[] | undefined): number {
  let line = 0;
  let most = 0;
  for (const tick of ticks ?? []) {
    if (tick.ticks <= most) continue;
    most = tick.ticks;
    line = tick.line;
  }
  return line;
}
