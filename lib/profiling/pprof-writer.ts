import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FunctionInput, LocationInput, SampleInput, StringTable, ValueTypeInput } from 'pprof-format';
import { pathOf } from '../code/code-path.js';
import type { CheckedNode } from './checked-profile.js';

/** Imported on first use. */
type Format = typeof import('pprof-format');

/** String labels for every sample. */
export type PprofLabels = Readonly<Record<string, string>>;

/** Builds the tables of a pprof profile, in which entries refer to each other by number. */
export class PprofWriter {
  private readonly samples: SampleInput[] = [];
  private readonly functions = new Map<string, FunctionInput & { id: number }>();
  private readonly locations = new Map<string, LocationInput & { id: number }>();
  private readonly labels: { key: number; str: number }[];

  private constructor(
    private readonly nodes: readonly CheckedNode[],
    private readonly format: Format,
    private readonly strings: StringTable,
    labels: PprofLabels,
  ) {
    this.labels = Object.entries(labels).map(([key, value]) => ({
      key: strings.dedup(key),
      str: strings.dedup(value),
    }));
  }

  static async create(nodes: readonly CheckedNode[], labels: PprofLabels = {}): Promise<PprofWriter> {
    const format = await import('pprof-format');
    return new PprofWriter(nodes, format, new format.StringTable(), labels);
  }

  /** Adds the samples of a node. Ignores a root, which is not a function. */
  addSample(place: number, value: number[]): void {
    const locationId: number[] = [];
    for (let node = this.nodes[place]; node !== undefined; node = this.nodes[node.parent]) {
      if (node.name === '(root)') continue;
      // For callers V8 reports only where the function begins, not the line of the call.
      const line =
        locationId.length === 0 ? (busiestLine(node.raw['positionTicks']) ?? node.line) : node.line;
      locationId.push(this.locationOf(node, line));
    }
    if (locationId.length > 0) this.samples.push({ locationId, value, label: this.labels });
  }

  /** The encoded profile, gzipped. */
  async finish(about: {
    types: readonly (readonly [type: string, unit: string])[];
    periodType: readonly [type: string, unit: string];
    period: number;
    startedAt: number;
    durationNanos: number;
  }): Promise<Uint8Array> {
    const typeOf = ([type, unit]: readonly [string, string]): ValueTypeInput => ({
      type: this.strings.dedup(type),
      unit: this.strings.dedup(unit),
    });
    const profile = new this.format.Profile({
      sampleType: about.types.map(typeOf),
      sample: this.samples,
      location: [...this.locations.values()],
      function: [...this.functions.values()],
      stringTable: this.strings,
      // Nanoseconds since 1970 exceed the precision of a number.
      timeNanos: BigInt(Math.round(about.startedAt * 1000)) * 1000n,
      durationNanos: about.durationNanos,
      periodType: typeOf(about.periodType),
      period: about.period,
    });
    return promisify(gzip)(await profile.encodeAsync());
  }

  private locationOf(node: CheckedNode, line: number): number {
    const functionId = this.functionOf(node);
    const key = `${functionId}:${line}`;
    const known = this.locations.get(key);
    if (known !== undefined) return known.id;
    const id = this.locations.size + 1;
    this.locations.set(key, { id, line: [{ functionId, line }] });
    return id;
  }

  private functionOf({ name, url, line, column }: CheckedNode): number {
    const key = `${line}:${column}:${name}:${url}`;
    const known = this.functions.get(key);
    if (known !== undefined) return known.id;
    const id = this.functions.size + 1;
    const shown = this.strings.dedup(name === '' ? '(anonymous)' : name);
    const filename = this.strings.dedup(pathOf(url) ?? url);
    this.functions.set(key, { id, name: shown, systemName: shown, filename, startLine: line });
    return id;
  }
}

/** The line of a node with the most samples, 1-based. */
export function busiestLine(positionTicks: unknown): number | undefined {
  let busiest: number | undefined;
  let most = 0;
  for (const tick of Array.isArray(positionTicks) ? positionTicks : []) {
    const { line, ticks } = (tick ?? {}) as { line?: unknown; ticks?: unknown };
    if (!Number.isInteger(line) || (line as number) < 1 || typeof ticks !== 'number' || ticks <= most)
      continue;
    busiest = line as number;
    most = ticks;
  }
  return busiest;
}
