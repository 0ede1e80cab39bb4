import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { ProtobufWriter } from '../bytes/protobuf-writer.js';
import { pathOf } from '../code/code-path.js';
import type { CheckedNode } from './checked-profile.js';

/** String labels for every sample. */
export type PprofLabels = Readonly<Record<string, string>>;

/** Writes a pprof profile, whose tables refer to each other by number. */
export class PprofWriter {
  private readonly profile = new ProtobufWriter();
  private readonly functions = new Map<string, number>();
  private readonly locations = new Map<string, number>();
  private readonly strings = new Map([['', 0]]);
  private readonly labels: readonly (readonly [key: string, value: string])[];

  constructor(
    private readonly nodes: readonly CheckedNode[],
    labels: PprofLabels = {},
  ) {
    this.labels = Object.entries(labels);
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
    if (locationId.length === 0) return;
    const sample = new ProtobufWriter().packed(1, locationId).packed(2, value);
    for (const [key, label] of this.labels)
      sample.message(3, new ProtobufWriter().whole(1, this.string(key)).whole(2, this.string(label)));
    this.profile.message(2, sample);
  }

  /** The encoded profile, gzipped. */
  async finish(about: {
    types: readonly (readonly [type: string, unit: string])[];
    periodType: readonly [type: string, unit: string];
    period: number;
    startedAt: number;
    durationNanos: number;
  }): Promise<Uint8Array> {
    const typeOf = ([type, unit]: readonly [string, string]): ProtobufWriter =>
      new ProtobufWriter().whole(1, this.string(type)).whole(2, this.string(unit));
    for (const type of about.types) this.profile.message(1, typeOf(type));
    this.profile
      // Nanoseconds since 1970 exceed the precision of a number.
      .long(9, BigInt(Math.round(about.startedAt * 1000)) * 1000n)
      .whole(10, about.durationNanos)
      .message(11, typeOf(about.periodType))
      .whole(12, about.period);
    for (const text of this.strings.keys()) this.profile.listed(6, text);
    return promisify(gzip)(this.profile.finish());
  }

  private locationOf(node: CheckedNode, line: number): number {
    const functionId = this.functionOf(node);
    return numberOf(this.locations, `${functionId}:${line}`, (id) => {
      const place = new ProtobufWriter().whole(1, functionId).whole(2, line);
      this.profile.message(4, new ProtobufWriter().whole(1, id).message(4, place));
    });
  }

  private functionOf({ name, url, line, column }: CheckedNode): number {
    return numberOf(this.functions, `${line}:${column}:${name}:${url}`, (id) => {
      const shown = this.string(name === '' ? '(anonymous)' : name);
      const file = this.string(pathOf(url) ?? url);
      const called = new ProtobufWriter().whole(1, id).whole(2, shown).whole(3, shown).whole(4, file);
      this.profile.message(5, called.whole(5, line));
    });
  }

  /** The number of a text in the table of strings. */
  private string(text: string): number {
    const known = this.strings.get(text);
    if (known === undefined) this.strings.set(text, this.strings.size);
    return known ?? this.strings.size - 1;
  }
}

/** The number of an entry of a table, from 1 on. @param write writes a new one */
function numberOf(table: Map<string, number>, key: string, write: (id: number) => void): number {
  const known = table.get(key);
  if (known !== undefined) return known;
  const id = table.size + 1;
  table.set(key, id);
  write(id);
  return id;
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
