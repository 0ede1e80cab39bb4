import { gunzipSync } from 'node:zlib';
import { parse } from 'protobufjs';

/** What is read of https://github.com/google/pprof/blob/main/proto/profile.proto, by another library than writes it. */
const { root } = parse(`
  syntax = "proto3";
  package perftools.profiles;
  message Profile {
    repeated ValueType sample_type = 1;
    repeated Sample sample = 2;
    repeated Location location = 4;
    repeated Function function = 5;
    repeated string string_table = 6;
    int64 time_nanos = 9;
    int64 duration_nanos = 10;
    ValueType period_type = 11;
    int64 period = 12;
  }
  message ValueType { int64 type = 1; int64 unit = 2; }
  message Sample { repeated uint64 location_id = 1; repeated int64 value = 2; repeated Label label = 3; }
  message Label { int64 key = 1; int64 str = 2; int64 num = 3; int64 num_unit = 4; }
  message Location {
    uint64 id = 1; uint64 mapping_id = 2; uint64 address = 3; repeated Line line = 4; bool is_folded = 5;
  }
  message Line { uint64 function_id = 1; int64 line = 2; int64 column = 3; }
  message Function { uint64 id = 1; int64 name = 2; int64 system_name = 3; int64 filename = 4; int64 start_line = 5; }
`);
const Profile = root.lookupType('perftools.profiles.Profile');

interface ValueType {
  type: string;
  unit: string;
}
interface Raw {
  sampleType: ValueType[];
  sample: { locationId: string[]; value: string[]; label: { key: string; str: string }[] }[];
  location: { id: string; line: { functionId: string; line: string }[] }[];
  function: { id: string; name: string; filename: string; startLine: string }[];
  stringTable: string[];
  timeNanos: string;
  durationNanos: string;
  periodType: ValueType;
  period: string;
}

export interface DecodedFrame {
  name: string;
  file: string;
  startLine: number;
  line: number;
}
export interface DecodedSample {
  /** Innermost first. */
  frames: DecodedFrame[];
  values: number[];
  labels: Record<string, string>;
}
export interface DecodedPprof {
  types: string[];
  period: string;
  timeNanos: bigint;
  durationNanos: number;
  samples: DecodedSample[];
}

/** Every reference followed; fails at one that leads nowhere. */
export function decodePprof(gzipped: Uint8Array): DecodedPprof {
  const raw = Profile.toObject(Profile.decode(gunzipSync(gzipped)), {
    longs: String,
    arrays: true,
    defaults: true,
  }) as Raw;
  const text = (index: string): string => {
    const found = raw.stringTable[Number(index)];
    if (found === undefined) throw new Error(`no string ${index}`);
    return found;
  };
  if (raw.stringTable[0] !== '') throw new Error('the first string must be empty');
  const byId = <T extends { id: string }>(list: T[], id: string): T => {
    const found = list.filter((item) => item.id === id);
    if (found.length !== 1 || found[0] === undefined || id === '0')
      throw new Error(`${found.length} of id ${id}`);
    return found[0];
  };
  const type = (value: ValueType): string => `${text(value.type)}/${text(value.unit)}`;
  return {
    types: raw.sampleType.map(type),
    period: `${type(raw.periodType)} ${raw.period}`,
    timeNanos: BigInt(raw.timeNanos),
    durationNanos: Number(raw.durationNanos),
    samples: raw.sample.map(({ locationId, value, label }) => ({
      frames: locationId.flatMap((id) =>
        byId(raw.location, id).line.map(({ functionId, line }) => {
          const called = byId(raw.function, functionId);
          return {
            name: text(called.name),
            file: text(called.filename),
            startLine: Number(called.startLine),
            line: Number(line),
          };
        }),
      ),
      values: value.map(Number),
      labels: Object.fromEntries(label.map(({ key, str }) => [text(key), text(str)])),
    })),
  };
}
