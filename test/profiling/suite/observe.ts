import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../../support/child-app';
import type { GuiltyCase } from './cases';

interface Line {
  readonly function: string;
  readonly file?: string;
  readonly line?: number;
}

interface HotFunction extends Line {
  readonly share: number;
  readonly calledFrom?: Line;
}

interface SlowOperation {
  timestamp: number;
  name: string;
  explanation: string;
  cause: string;
  callSite?: Line;
  profile?: string;
  topFunctions?: HotFunction[];
}

/** The reported slow operation of a case. */
export interface Observed {
  readonly slow: SlowOperation | undefined;
  /** The functions of its file by self time, the most first. */
  readonly inFile: readonly string[];
}

export interface Verdict {
  /** Whether the guilty function is first by self time, and at its line. */
  readonly first: boolean;
  readonly line: boolean;
  /** Whether a neighbour's function is in the explanation, or first in the file. */
  readonly neighbour: boolean;
}

/** How long a slow operation is waited for. */
const PATIENCE_MS = 8000;
const SOURCE = join(ROOT, 'test/profiling/app/guilty.service.ts');

/** Makes the request of a case, and its neighbours with it. */
export async function provoke(url: string, one: GuiltyCase): Promise<void> {
  const neighbours = Array.from({ length: one.neighbours }, () => fetch(`${url}/noise?pieces=60`));
  if (one.neighbours > 0) await sleep(100);
  const answer = await fetch(url + one.path);
  await answer.text();
  if (!answer.ok) throw new Error(`${one.path} answered ${answer.status}`);
  for (const neighbour of neighbours) await (await neighbour).text();
}

/** Does so, and looks at what was kept. */
export async function observe(url: string, directory: string, one: GuiltyCase): Promise<Observed> {
  const since = Date.now();
  await provoke(url, one);
  let slow: SlowOperation | undefined;
  const until = Date.now() + PATIENCE_MS;
  do {
    await sleep(100);
    const listed = (await (await fetch(`${url}/performance/slow?limit=20`)).json()) as SlowOperation[];
    slow = listed.find(({ name, timestamp }) => name === one.operation && timestamp >= since);
  } while (slow?.topFunctions === undefined && Date.now() < until);
  return { slow, inFile: slow?.profile === undefined ? [] : bySelfTime(directory, slow.profile) };
}

export function judge(one: GuiltyCase, { slow, inFile }: Observed): Verdict {
  const [hot] = slow?.topFunctions ?? [];
  const method = one.calls === undefined ? hot?.function : hot?.calledFrom?.function;
  const first = method === one.guilty && (one.calls === undefined || hot?.function === one.calls);
  const line = isLineOf(one.guilty, one.calls === undefined ? hot : hot?.calledFrom);
  const result = (slow?.topFunctions ?? []).map(
    (each) => `${each.function} ${each.calledFrom?.function ?? ''}`,
  );
  return { first, line, neighbour: [...result, ...inFile].some((each) => each.includes('NoiseService')) };
}

/** Whether a line is one of a method of the application. */
export function isLineOf(guilty: string, site: Line | undefined): boolean {
  const [from, to] = linesOf(guilty);
  const { file = '', line = 0 } = site ?? {};
  return file.endsWith('guilty.service.ts') && line >= from && line <= to;
}

/** The lines of a method of the application: from its head to the one that is marked. */
function linesOf(guilty: string): [number, number] {
  const lines = readFileSync(SOURCE, 'utf8').split('\n');
  const method = guilty.split('.')[1] as string;
  const marked = lines.findIndex((text) => text.includes(`// guilty: ${method}`));
  const head = lines.findLastIndex((text, at) => at <= marked && text.includes(` ${method}(`));
  return [head + 1, marked + 1];
}

interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string }; hitCount: number; children?: number[] }[];
}

/** The functions of a file by self time. What has no name of its own counts as what it was called by. */
function bySelfTime(directory: string, id: string): string[] {
  const text = readFileSync(join(directory, `${id}.cpuprofile`), 'utf8');
  const { nodes } = JSON.parse(text) as CpuProfile;
  const self = new Map<string, number>();
  const names = new Map<number, string>();
  for (const { id: node, callFrame, hitCount, children } of nodes) {
    const { functionName } = callFrame;
    const named = functionName !== '' && functionName !== 'RegExp';
    const name = named ? functionName : (names.get(node) ?? functionName);
    for (const child of children ?? []) names.set(child, name);
    if (hitCount > 0 && !name.startsWith('(')) self.set(name, (self.get(name) ?? 0) + hitCount);
  }
  return [...self].sort((a, b) => b[1] - a[1]).map(([name]) => name);
}
