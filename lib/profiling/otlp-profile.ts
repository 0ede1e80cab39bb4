import { createHash } from 'node:crypto';
import type { Profiler } from 'node:inspector';
import { ProtobufWriter } from '../bytes/protobuf-writer.js';
import { pathOf } from '../code/code-path.js';
import { SCOPE } from '../spans/tracing-runtime.js';
import type { CheckedNode } from './checked-profile.js';
import { readCpuProfile } from './cpu-times.js';
import { busiestLine } from './pprof-writer.js';

/** By OpenTelemetry's semantic conventions: what executes a frame. */
const FRAME_TYPE = ['profile.frame.type', 'v8js'] as const;
const ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

/** What is said of a profile. */
export interface OtlpProfileInfo {
  /** A unique id, of which that of OTLP is made. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Microseconds between two samples. */
  readonly intervalUs: number;
  /** Of the resource, as of spans. */
  readonly resource: Readonly<Record<string, string>>;
  /** The span that the samples belong to. Absent for a profile of the whole process. */
  readonly link?: { readonly traceId: string; readonly spanId: string } | undefined;
  readonly attributes?: Readonly<Record<string, string>>;
}

/**
 * A CPU profile as a request of OTLP (`ExportProfilesServiceRequest` of
 * https://github.com/open-telemetry/opentelemetry-proto, profiles/v1development, alpha), with `cpu` nanoseconds by self time,
 * one sample for each call path. `(idle)` is omitted.
 * @throws TypeError for a malformed profile: names the field, what was received, and what is expected
 */
export function encodeOtlpProfile(profile: Profiler.Profile, info: OtlpProfileInfo): Uint8Array<ArrayBuffer> {
  const { nodes, times, durationUs } = readCpuProfile(profile, info.intervalUs);
  const dictionary = new Dictionary(nodes);
  const link = info.link === undefined ? 0 : dictionary.linkTo(info.link);
  const cpu = (): ProtobufWriter =>
    new ProtobufWriter().whole(1, dictionary.string('cpu')).whole(2, dictionary.string('nanoseconds'));
  const profiled = new ProtobufWriter().message(1, cpu());
  for (const { place, selfUs } of times) {
    const stack = dictionary.stackOf(place);
    const nanoseconds = Math.round(selfUs * 1000);
    if (stack === 0 || nanoseconds === 0) continue;
    profiled.message(2, new ProtobufWriter().whole(1, stack).whole(3, link).packed(4, [nanoseconds]));
  }
  const attributes = Object.entries(info.attributes ?? {}).map((entry) => dictionary.attribute(...entry));
  profiled
    // Nanoseconds since 1970 exceed the precision of a number.
    .fixed64(3, BigInt(Math.round(info.startedAt * 1000)) * 1000n)
    .whole(4, Math.round(durationUs * 1000))
    .message(5, cpu())
    .whole(6, Math.round(info.intervalUs * 1000))
    .bytes(7, createHash('sha256').update(info.id).digest().subarray(0, ID_BYTES))
    .packed(11, attributes);
  const scoped = new ProtobufWriter()
    .message(1, new ProtobufWriter().string(1, SCOPE.name).string(2, SCOPE.version))
    .message(2, profiled);
  const resource = new ProtobufWriter();
  for (const [key, value] of Object.entries(info.resource))
    resource.message(1, new ProtobufWriter().string(1, key).message(2, anyValue(value)));
  const resourceProfiles = new ProtobufWriter().message(1, resource).message(2, scoped);
  return new ProtobufWriter().message(1, resourceProfiles).message(2, dictionary.written()).finish();
}

function anyValue(value: string): ProtobufWriter {
  // One of several: it is written also if it is empty.
  return new ProtobufWriter().listed(1, value);
}

/** A table of the dictionary, in which equal entries have one index. The first entry means none. */
class Table {
  readonly entries: ProtobufWriter[];
  private readonly indices = new Map<string, number>();

  constructor(none = new ProtobufWriter()) {
    this.entries = [none];
  }

  /** @param key equal for equal entries */
  indexOf(key: string, make: () => ProtobufWriter): number {
    const known = this.indices.get(key);
    if (known !== undefined) return known;
    const index = this.entries.push(make()) - 1;
    this.indices.set(key, index);
    return index;
  }
}

/** The tables that the parts of a request refer to, by the field of each in `ProfilesDictionary`. */
class Dictionary {
  private readonly mappings = new Table();
  private readonly locations = new Table();
  private readonly functions = new Table();
  private readonly links = new Table(linkOf('0'.repeat(2 * ID_BYTES), '0'.repeat(2 * SPAN_ID_BYTES)));
  private readonly attributes = new Table();
  private readonly stacks = new Table();
  private readonly strings = new Map<string, number>([['', 0]]);

  constructor(private readonly nodes: readonly CheckedNode[]) {}

  string(text: string): number {
    const known = this.strings.get(text);
    if (known !== undefined) return known;
    this.strings.set(text, this.strings.size);
    return this.strings.size - 1;
  }

  attribute(key: string, value: string): number {
    return this.attributes.indexOf(JSON.stringify([key, value]), () =>
      new ProtobufWriter().whole(1, this.string(key)).message(2, anyValue(value)),
    );
  }

  linkTo({ traceId, spanId }: { traceId: string; spanId: string }): number {
    return this.links.indexOf(`${traceId}${spanId}`, () => linkOf(traceId, spanId));
  }

  /** The calls of a node, the innermost first; 0 for a root, which is not a function. */
  stackOf(place: number): number {
    const locations: number[] = [];
    for (let node = this.nodes[place]; node !== undefined; node = this.nodes[node.parent])
      if (node.name !== '(root)') locations.push(this.locationOf(node, locations.length === 0));
    if (locations.length === 0) return 0;
    return this.stacks.indexOf(locations.join(), () => new ProtobufWriter().packed(1, locations));
  }

  written(): ProtobufWriter {
    const dictionary = new ProtobufWriter();
    const tables: readonly [field: number, Table][] = [
      [1, this.mappings],
      [2, this.locations],
      [3, this.functions],
      [4, this.links],
      [6, this.attributes],
      [7, this.stacks],
    ];
    for (const [field, { entries }] of tables) for (const entry of entries) dictionary.message(field, entry);
    for (const text of this.strings.keys()) dictionary.listed(5, text);
    return dictionary;
  }

  private locationOf(node: CheckedNode, isInnermost: boolean): number {
    const code = this.functionOf(node);
    // For callers V8 reports only where the function begins, not the line of the call.
    const line = (isInnermost ? busiestLine(node.raw['positionTicks']) : undefined) ?? node.line;
    return this.locations.indexOf(`${code}:${line}`, () =>
      new ProtobufWriter()
        .message(3, new ProtobufWriter().whole(1, code).whole(2, line))
        .packed(4, [this.attribute(...FRAME_TYPE)]),
    );
  }

  private functionOf({ name, url, line, column }: CheckedNode): number {
    return this.functions.indexOf(JSON.stringify([name, url, line, column]), () => {
      const shown = this.string(name === '' ? '(anonymous)' : name);
      return new ProtobufWriter()
        .whole(1, shown)
        .whole(2, shown)
        .whole(3, this.string(pathOf(url) ?? url))
        .whole(4, line);
    });
  }
}

function linkOf(traceId: string, spanId: string): ProtobufWriter {
  return new ProtobufWriter().bytes(1, Buffer.from(traceId, 'hex')).bytes(2, Buffer.from(spanId, 'hex'));
}
