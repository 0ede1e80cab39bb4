import { performance } from 'node:perf_hooks';
import { type CodeFunction, codeName, type SampleWindow } from './sample-window.js';

/** What the package gives for each sample, and asks labels for. */
export type TimeLabels = (args: {
  readonly node: { readonly name?: string };
  readonly context?: { readonly timestamp: bigint };
}) => Record<string, number>;

/** What is used of the profile that it makes: pprof, as objects. */
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

/** A frame as the package hands it to what maps sources. */
export interface Frame {
  readonly name?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/** Goes before the number of a function; no name of a function begins so. */
const NUMBERED = '\0';

/** So it calls V8's `(garbage collector)`, and puts it below another name of its own. */
const GARBAGE_COLLECTION = 'Garbage Collection';

/** And so what has neither a name nor a line. */
const ANONYMOUS = '(anonymous)';

/**
 * Makes a window of what `@datadog/pprof` tells. That is pprof, which holds no columns and no times, but two questions
 * are asked on the way: as what maps sources, this gives each frame the number of its function for a name; as what
 * gives labels, it notes the time of each sample. `(program)` it leaves out, while idle time is sampled as any other:
 * where samples are missing, V8 ran something that was neither.
 */
export class DatadogWindow {
  private readonly functions: CodeFunction[] = [];
  private readonly functionIndices = new Map<string, number>();
  private readonly nodeFunction: number[] = [];
  private readonly nodeParent: number[] = [];
  private readonly nodeIndices = new Map<string, number>();
  /** By sample, in the order in which they are told: milliseconds since 1970. */
  private readonly epochMs: number[] = [];

  /** @param startedAt on the clock of `performance.now()` */
  constructor(
    private readonly startedAt: number,
    private readonly intervalMs: number,
  ) {
    this.node(-1, this.builtIn('(root)'));
  }

  /** The frame with the number of its function for a name. */
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
      // The package gives all samples of a node the same list.
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
   * Puts `(program)` where at least one sample is missing: a sample lasts for an interval, then. A window with none is
   * left so, since nothing was sampled.
   */
  private fill(samples: { node: number; at: number }[], endedAt: number): void {
    const told = samples.length;
    if (told === 0) return;
    const program = this.node(0, this.builtIn('(program)'));
    for (let index = 0; index <= told; index++) {
      const from = samples[index - 1]?.at ?? this.startedAt;
      const until = index === told ? endedAt : (samples[index]?.at ?? endedAt);
      // V8 often keeps the last sample of a window to itself.
      const most = index === told ? 2.75 : 1.75;
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
 * When `performance.now()` was 0, in milliseconds since 1970, by the system's clock as it stands. `timeOrigin` is
 * exact, and wrong once somebody has set the clock; `Date.now()` is cut to whole milliseconds.
 */
function timeOrigin(): number {
  const now = Date.now() + 0.5 - performance.now();
  return Math.abs(now - performance.timeOrigin) < 2 ? performance.timeOrigin : now;
}
