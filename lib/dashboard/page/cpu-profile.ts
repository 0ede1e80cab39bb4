/** The fields that are read from a profile in the inspector's format. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      /** Zero-based; -1 if unknown. */
      readonly lineNumber: number;
    };
    readonly children?: readonly number[];
  }[];
  readonly startTime: number;
  readonly endTime: number;
  readonly samples?: readonly number[];
  readonly timeDeltas?: readonly number[];
}

/** The owner of a function's code. */
export type CodeOwner = 'application' | 'dependency' | 'node' | 'engine' | 'others';

/** A node of the call tree. Times are milliseconds. */
export interface Frame {
  readonly name: string;
  readonly file: string;
  /** One-based; 0 if unknown. */
  readonly line: number;
  readonly owner: CodeOwner;
  readonly children: Frame[];
  selfMs: number;
  /** The total time, which d3-flame-graph expects under this name. */
  value: number;
}

/** The times of one function over all its callers. */
export interface FunctionTime extends Pick<Frame, 'name' | 'file' | 'line' | 'owner'> {
  readonly key: string;
  selfMs: number;
  totalMs: number;
}

export interface ReadProfile {
  readonly root: Frame;
  /** The time that the profile covers, and the part of it in which code ran. */
  readonly durationMs: number;
  readonly busyMs: number;
  /** Sorted by self time, highest first. */
  readonly functions: readonly FunctionTime[];
}

const IDLE = '(idle)';
const OTHERS = '(other operations)';
const TEXT_OF: ReadonlyMap<string, string> = new Map([
  ['', '(anonymous)'],
  ['(root)', 'all executed code'],
]);

/** The call tree of a profile with times. Idle time is excluded. */
export function readProfile(profile: CpuProfile): ReadProfile {
  const { nodes, startTime, endTime } = profile;
  const selfMs = selfTimes(profile);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const rootNode = nodes[0];
  const root = newFrame('(root)', '', -1);
  const pending = rootNode === undefined ? [] : [{ node: rootNode, frame: root }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node, frame } = next;
    frame.selfMs += selfMs.get(node.id) ?? 0;
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child === undefined || child.callFrame.functionName === IDLE) continue;
      pending.push({ node: child, frame: childOf(frame, child.callFrame) });
    }
  }
  const functions = addUp(root);
  return { root, durationMs: (endTime - startTime) / 1000, busyMs: root.value, functions };
}

/** A sample represents the time until the next one. */
function selfTimes({ samples = [], timeDeltas = [], startTime, endTime }: CpuProfile): Map<number, number> {
  const times = new Map<number, number>();
  let at = startTime;
  samples.forEach((id, index) => {
    at += timeDeltas[index] ?? 0;
    const us = index + 1 < samples.length ? (timeDeltas[index + 1] ?? 0) : endTime - at;
    times.set(id, (times.get(id) ?? 0) + Math.max(0, us) / 1000);
  });
  return times;
}

function childOf(
  parent: Frame,
  { functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame'],
): Frame {
  const made = newFrame(functionName, url, lineNumber);
  const known = parent.children.find((child) => keyOf(child) === keyOf(made));
  if (known !== undefined) return known;
  parent.children.push(made);
  return made;
}

function newFrame(functionName: string, url: string, lineNumber: number): Frame {
  const name = TEXT_OF.get(functionName) ?? functionName;
  const file = url.replace(/^file:\/\//, '');
  return { name, file, line: lineNumber + 1, owner: ownerOf(name, file), children: [], selfMs: 0, value: 0 };
}

function ownerOf(name: string, file: string): CodeOwner {
  if (name === OTHERS) return 'others';
  if (file === '') return 'engine';
  if (file.startsWith('node:')) return 'node';
  return /(?:^|\/)node_modules\//.test(file) ? 'dependency' : 'application';
}

/** Sets each frame's total and sums times by function; recursive calls count once. */
function addUp(root: Frame): FunctionTime[] {
  const functions = new Map<string, FunctionTime>();
  const open = new Set<string>();
  const visit = (frame: Frame): void => {
    const key = keyOf(frame);
    const isOutermost = !open.has(key);
    open.add(key);
    frame.value = frame.selfMs;
    for (const child of frame.children) {
      visit(child);
      frame.value += child.value;
    }
    if (isOutermost) open.delete(key);
    if (frame === root) return;
    const { name, file, line, owner } = frame;
    const known = functions.get(key) ?? { key, name, file, line, owner, selfMs: 0, totalMs: 0 };
    known.selfMs += frame.selfMs;
    if (isOutermost) known.totalMs += frame.value;
    functions.set(key, known);
  };
  visit(root);
  return [...functions.values()].sort((a, b) => b.selfMs - a.selfMs || b.totalMs - a.totalMs);
}

export function keyOf({ name, file, line }: Pick<Frame, 'name' | 'file' | 'line'>): string {
  return `${name} ${file}:${line}`;
}
