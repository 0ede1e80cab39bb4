import { performance } from 'node:perf_hooks';
import { type CodeFunction, codeName, type SampleWindow } from './sample-window.js';

/** The callback that the package calls for the labels of each sample. */
export type TimeLabels = (args: {
  readonly node: { readonly name?: string };
  readonly context?: { readonly timestamp: bigint };
}) => Record<string, number>;

/** The part of the package's profile that is used here: pprof, as objects. */
export interface FinishedProfile {
  readonly sample: readonly {
    /** Innermost call first. */
    readonly locationId: readonly (number | bigint)[];
    readonly label: readonly { readonly num: number | bigint }[];
  }[];
  readonly location: readonly { readonly line: readonly { readonly functionId: number | bigint }[] }[];
  readonly function: readonly { readonly name: number | bigint; readonly filename: number | bigint }[];
  readonly stringTable: { readonly strings: readonly string[] };
}

/** A frame as the package passes it to a source mapper. */
export interface Frame {
  readonly name?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/** Prefix of the number of a function; no function name begins with it. */
const NUMBERED = '\0';

/** The package's name for V8's `(garbage collector)`, which it puts below another node. */
const GARBAGE_COLLECTION = 'Garbage Collection';

/** The package's name for a function with neither name nor line. */
const ANONYMOUS = '(anonymous)';

/**
 * Builds a window from a profile of `@datadog/pprof`. That is pprof, without columns and times, but the package calls
 * back twice: as source mapper, this class replaces each frame's name by the number of its function; as label
 * generator, it records the time of each sample. The package omits `(program)` but samples idle time like any other:
 * where samples are missing, V8 ran something that was neither.
 */
export class DatadogWindow {
  private readonly functions: CodeFunction[] = [];
  private readonly functionIndices = new Map<string, number>();
  private readonly nodeFunction: number[] = [];
  private readonly nodeParent: number[] = [];
  private readonly nodeIndices = new Map<string, number>();
  /** By sample, in the order of the callbacks: milliseconds since 1970. */
  private readonly epochMs: number[] = [];

  /** @param startedAt on the clock of `performance.now()` */
  constructor(
    private readonly startedAt: number,
    private readonly intervalMs: number,
  ) {
    this.node(-1, this.builtIn('(root)'));
  }

  /** The frame, named by the number of its function. */
  nameByNumber(frame: Frame): Frame {
    const { name = '', file = '', line = 0, column = 0 } = frame;
    return { ...frame, name: NUMBERED + this.function({ name: codeName(name), url: file, line, column }) };
  }

  readonly generateLabels: TimeLabels = ({ context }) => {
    const labels: Record<string, number> = {};
    if (context !== undefined) labels['sample'] = this.epochMs.push(Number(context.timestamp) / 1000) - 1;
    return labels;
  };

  /** @param endedAt on the clock of `performance.now()` */
  finish(profile: FinishedProfile, endedAt: number): SampleWindow {
    const origin = timeOrigin();
    const nodeOf = new Map<unknown, number>();
    const samples: { node: number; at: number }[] = [];
    for (const { locationId, label } of profile.sample) {
      const at = this.epochMs[Number(label[0]?.num ?? -1)];
      if (at === undefined) continue;
      // The package uses the same list for all samples of a node.
      let node = nodeOf.get(locationId);
      if (node === undefined) {
        node = this.nodeOf(profile, locationId);
        nodeOf.set(locationId, node);
      }
      samples.push({ node, at: Math.min(endedAt, Math.max(this.startedAt, at - origin)) });
    }
    samples.sort((a, b) => a.at - b.at);
    this.fill(samples, endedAt);
    return {
      startedAt: this.startedAt,
      endedAt,
      intervalMs: this.intervalMs,
      functions: this.functions,
      nodeFunction: Int32Array.from(this.nodeFunction),
      nodeParent: Int32Array.from(this.nodeParent),
      nodeLine: new Int32Array(this.nodeFunction.length),
      sampleNode: Int32Array.from(samples, ({ node }) => node),
      sampleAt: Float64Array.from(samples, ({ at }) => at),
    };
  }

  /**
   * Inserts a `(program)` sample where at least one is missing: each sample lasts for one interval. A window without
   * samples stays empty, because nothing was sampled.
   */
  private fill(samples: { node: number; at: number }[], endedAt: number): void {
    const sampled = samples.length;
    if (sampled === 0) return;
    const program = this.node(0, this.builtIn('(program)'));
    for (let index = 0; index <= sampled; index++) {
      const from = samples[index - 1]?.at ?? this.startedAt;
      const until = index === sampled ? endedAt : (samples[index]?.at ?? endedAt);
      // V8 often withholds the last sample of a window.
      const most = index === sampled ? 2.75 : 1.75;
      if (until - from > most * this.intervalMs) samples.push({ node: program, at: from + this.intervalMs });
    }
    samples.sort((a, b) => a.at - b.at);
  }

  private nodeOf(profile: FinishedProfile, locationId: readonly (number | bigint)[]): number {
    let node = 0;
    for (let depth = locationId.length - 1; depth >= 0; depth--) {
      const line = profile.location[Number(locationId[depth]) - 1]?.line[0];
      const called = profile.function[Number(line?.functionId) - 1];
      const name = profile.stringTable.strings[Number(called?.name)] ?? '';
      if (name.startsWith(NUMBERED)) {
        node = this.node(node, Number(name.slice(NUMBERED.length)));
      } else if (depth === 0 && name === GARBAGE_COLLECTION) {
        return this.node(0, this.builtIn('(garbage collector)'));
      } else {
        const url = profile.stringTable.strings[Number(called?.filename)] ?? '';
        node = this.node(
          node,
          this.function({ name: name === ANONYMOUS ? '' : name, url, line: 0, column: 0 }),
        );
      }
    }
    return node;
  }

  private builtIn(name: string): number {
    return this.function({ name, url: '', line: 0, column: 0 });
  }

  private function(code: CodeFunction): number {
    const key = `${code.line}:${code.column}:${code.name}:${code.url}`;
    let index = this.functionIndices.get(key);
    if (index === undefined) {
      index = this.functions.push(code) - 1;
      this.functionIndices.set(key, index);
    }
    return index;
  }

  private node(parent: number, code: number): number {
    const key = `${parent}:${code}`;
    let index = this.nodeIndices.get(key);
    if (index === undefined) {
      index = this.nodeFunction.push(code) - 1;
      this.nodeParent.push(parent);
      this.nodeIndices.set(key, index);
    }
    return index;
  }
}

/**
 * When `performance.now()` was 0, in milliseconds since 1970 by the current system clock. `performance.timeOrigin` is
 * exact, but wrong once the clock was set; `Date.now()` is truncated to milliseconds.
 */
function timeOrigin(): number {
  const now = Date.now() + 0.5 - performance.now();
  return Math.abs(now - performance.timeOrigin) < 2 ? performance.timeOrigin : now;
}
