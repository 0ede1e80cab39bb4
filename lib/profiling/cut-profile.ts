import type { Profiler } from 'node:inspector';
import type { CodeNames } from './code-names.js';
import { IDLE, type OperationSamples, OWN } from './operation-samples.js';
import type { CodeFunction, SampleWindow } from './sample-window.js';

const ROOT: CodeFunction = { name: '(root)', url: '', line: 0, column: 0 };
const IDLENESS: CodeFunction = { name: '(idle)', url: '', line: 0, column: 0 };
/** Stands for code of other operations, or of an uncertain owner, during the operation. */
const OTHER_WORK: CodeFunction = { name: '(other operations)', url: '', line: 0, column: 0 };

interface Node {
  readonly id: number;
  readonly code: CodeFunction;
  readonly children: Map<string, Node>;
  hits: number;
}

/** Part of the recent past, with functions not yet named. */
export interface Cut {
  /** The functions to be named. */
  readonly functions: readonly CodeFunction[];
  /**
   * A profile in the inspector's format, which DevTools and speedscope read, with class names and source positions.
   * @param startedAtUs its start in microseconds since 1970
   */
  toProfile(names: CodeNames, startedAtUs: number): Profiler.Profile;
}

/**
 * Combines the samples of an interval into one profile.
 * @param own replaces the code of others by `(other operations)`, which keeps its time
 */
export function cut(samples: OperationSamples, own: boolean): Cut {
  const tree = new Tree();
  const idle = tree.child(tree.root, IDLENESS);
  const nodes = samples.windows.map((window) => new WindowNodes(window, tree));
  const ids: number[] = [];
  const timeDeltas: number[] = [];
  let lastUs = 0;
  for (const [index, owner] of samples.owner.entries()) {
    const which = samples.window[index] as number;
    const place = samples.place[index] as number;
    const { sampleAt, sampleNode } = samples.windows[which] as SampleWindow;
    let node: Node;
    if (owner === IDLE) node = idle;
    else if (own && owner !== OWN) node = tree.child(tree.root, OTHER_WORK);
    else node = nodes[which]?.find(sampleNode[place] as number) ?? idle;
    node.hits++;
    ids.push(node.id);
    const us = Math.round(((sampleAt[place] as number) - samples.from) * 1000);
    timeDeltas.push(us - lastUs);
    lastUs = us;
  }
  return {
    functions: tree.functions,
    toProfile: (names, startedAtUs) => ({
      nodes: tree.list(names),
      startTime: Math.round(startedAtUs),
      endTime: Math.round(startedAtUs) + Math.round((samples.to - samples.from) * 1000),
      samples: ids,
      timeDeltas,
    }),
  };
}

/** The calls of several windows, merged. */
class Tree {
  readonly root: Node = { id: 1, code: ROOT, children: new Map(), hits: 0 };
  private readonly nodes: Node[] = [this.root];

  child(parent: Node, code: CodeFunction): Node {
    const key = `${code.url}:${code.line}:${code.column}:${code.name}`;
    let node = parent.children.get(key);
    if (node === undefined) {
      node = { id: this.nodes.length + 1, code, children: new Map(), hits: 0 };
      this.nodes.push(node);
      parent.children.set(key, node);
    }
    return node;
  }

  get functions(): CodeFunction[] {
    return this.nodes.map(({ code }) => code);
  }

  list(names: CodeNames): Profiler.ProfileNode[] {
    const scripts = new Map<string, string>();
    return this.nodes.map(({ id, code, children, hits }) => {
      if (code.url !== '' && !scripts.has(code.url)) scripts.set(code.url, String(scripts.size + 1));
      return {
        id,
        callFrame: { scriptId: scripts.get(code.url) ?? '0', ...frameOf(code, names) },
        hitCount: hits,
        ...(children.size === 0 ? {} : { children: [...children.values()].map((child) => child.id) }),
      };
    });
  }
}

/** Maps the nodes of one window to the merged tree. */
class WindowNodes {
  private readonly found = new Map<number, Node>();

  constructor(
    private readonly window: SampleWindow,
    private readonly tree: Tree,
  ) {}

  find(index: number): Node {
    const known = this.found.get(index);
    if (known !== undefined) return known;
    const parent = this.window.nodeParent[index] as number;
    if (parent < 0) return this.tree.root;
    const code = this.window.functions[this.window.nodeFunction[index] as number] as CodeFunction;
    const node = this.tree.child(this.find(parent), code);
    this.found.set(index, node);
    return node;
  }
}

/** The inspector's format has 0-based positions; -1 is none. */
function frameOf(
  code: CodeFunction,
  names: CodeNames,
): { functionName: string; url: string; lineNumber: number; columnNumber: number } {
  const { name, url, line, column } = code;
  if (url === '' || url.startsWith('node:'))
    return { functionName: name, url, lineNumber: line - 1, columnNumber: column - 1 };
  const site = names.locate(code);
  return {
    functionName: name === '' ? '' : site.function,
    url: site.file,
    lineNumber: site.line - 1,
    columnNumber: site.column - 1,
  };
}
