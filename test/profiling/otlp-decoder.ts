import { parse } from 'protobufjs';

/** Of https://github.com/open-telemetry/opentelemetry-proto, profiles/v1development, read by another library than writes it. */
const { root } = parse(`
  syntax = "proto3";
  package otlp;
  message ExportProfilesServiceRequest {
    repeated ResourceProfiles resource_profiles = 1;
    ProfilesDictionary dictionary = 2;
  }
  message ProfilesDictionary {
    repeated Mapping mapping_table = 1;
    repeated Location location_table = 2;
    repeated Function function_table = 3;
    repeated Link link_table = 4;
    repeated string string_table = 5;
    repeated KeyValueAndUnit attribute_table = 6;
    repeated Stack stack_table = 7;
  }
  message ResourceProfiles { Resource resource = 1; repeated ScopeProfiles scope_profiles = 2; string schema_url = 3; }
  message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; } }
  message ScopeProfiles { InstrumentationScope scope = 1; repeated Profile profiles = 2; string schema_url = 3; }
  message InstrumentationScope { string name = 1; string version = 2; }
  message Profile {
    ValueType sample_type = 1;
    repeated Sample samples = 2;
    fixed64 time_unix_nano = 3;
    uint64 duration_nano = 4;
    ValueType period_type = 5;
    int64 period = 6;
    bytes profile_id = 7;
    uint32 dropped_attributes_count = 8;
    string original_payload_format = 9;
    bytes original_payload = 10;
    repeated int32 attribute_indices = 11;
  }
  message Link { bytes trace_id = 1; bytes span_id = 2; }
  message ValueType { int32 type_strindex = 1; int32 unit_strindex = 2; }
  message Sample {
    int32 stack_index = 1;
    repeated int32 attribute_indices = 2;
    int32 link_index = 3;
    repeated int64 values = 4;
    repeated fixed64 timestamps_unix_nano = 5;
  }
  message Mapping { uint64 memory_start = 1; uint64 memory_limit = 2; uint64 file_offset = 3; int32 filename_strindex = 4; }
  message Stack { repeated int32 location_indices = 1; }
  message Location {
    int32 mapping_index = 1;
    uint64 address = 2;
    repeated Line lines = 3;
    repeated int32 attribute_indices = 4;
  }
  message Line { int32 function_index = 1; int64 line = 2; int64 column = 3; }
  message Function { int32 name_strindex = 1; int32 system_name_strindex = 2; int32 filename_strindex = 3; int64 start_line = 4; }
  message KeyValueAndUnit { int32 key_strindex = 1; AnyValue value = 2; int32 unit_strindex = 3; }
`);
const Request = root.lookupType('otlp.ExportProfilesServiceRequest');

interface KeyValue {
  readonly key: string;
  readonly value: { readonly stringValue: string };
}
interface ValueType {
  readonly typeStrindex: number;
  readonly unitStrindex: number;
}
interface Raw {
  readonly dictionary: {
    readonly mappingTable: object[];
    readonly locationTable: {
      lines: { functionIndex: number; line: string }[];
      attributeIndices: number[];
    }[];
    readonly functionTable: { nameStrindex: number; filenameStrindex: number; startLine: string }[];
    readonly linkTable: { traceId: Uint8Array; spanId: Uint8Array }[];
    readonly stringTable: string[];
    readonly attributeTable: { keyStrindex: number; value?: { stringValue: string } }[];
    readonly stackTable: { locationIndices: number[] }[];
  };
  readonly resourceProfiles: {
    resource: { attributes: KeyValue[] };
    scopeProfiles: {
      scope: { name: string };
      profiles: {
        sampleType: ValueType;
        periodType: ValueType;
        period: string;
        samples: { stackIndex: number; linkIndex: number; values: string[]; timestampsUnixNano: string[] }[];
        timeUnixNano: string;
        durationNano: string;
        profileId: Uint8Array;
        attributeIndices: number[];
      }[];
    }[];
  }[];
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The only profile of a request, with what its indices refer to. */
export function decodeOtlpProfile(bytes: Uint8Array) {
  const raw = Request.toObject(Request.decode(bytes), {
    longs: String,
    bytes: Uint8Array,
    defaults: true,
    arrays: true,
  }) as Raw;
  const { dictionary, resourceProfiles } = raw;
  const { stringTable, functionTable, locationTable, linkTable, attributeTable, stackTable } = dictionary;
  const text = (index: number): string | undefined => stringTable[index];
  const attributes = (indices: readonly number[]): Record<string, string | undefined> =>
    Object.fromEntries(
      indices.map((index) => {
        const { keyStrindex, value } = attributeTable[index] ?? { keyStrindex: -1 };
        return [text(keyStrindex) ?? 'missing', value?.stringValue];
      }),
    );
  const frame = (index: number): string => {
    const [{ functionIndex, line } = { functionIndex: -1, line: '' }] = locationTable[index]?.lines ?? [];
    const called = functionTable[functionIndex];
    return `${text(called?.nameStrindex ?? -1)} (${text(called?.filenameStrindex ?? -1)}:${line})`;
  };
  const typeOf = ({ typeStrindex, unitStrindex }: ValueType): string =>
    `${text(typeStrindex)}/${text(unitStrindex)}`;
  const [resource] = resourceProfiles;
  const [scoped] = resource?.scopeProfiles ?? [];
  const [profile] = scoped?.profiles ?? [];
  return {
    dictionary,
    resource: Object.fromEntries(
      (resource?.resource.attributes ?? []).map(({ key, value }) => [key, value.stringValue]),
    ),
    scope: scoped?.scope.name,
    type: profile && typeOf(profile.sampleType),
    period: profile && [profile.period, typeOf(profile.periodType)],
    timeUnixNano: profile?.timeUnixNano,
    durationNano: profile?.durationNano,
    profileId: profile && hex(profile.profileId),
    attributes: attributes(profile?.attributeIndices ?? []),
    frames: attributes(locationTable.at(-1)?.attributeIndices ?? []),
    samples: (profile?.samples ?? []).map(({ stackIndex, linkIndex, values, timestampsUnixNano }) => {
      const link = linkTable[linkIndex];
      return {
        stack: (stackTable[stackIndex]?.locationIndices ?? []).map(frame),
        link: linkIndex === 0 || link === undefined ? undefined : [hex(link.traceId), hex(link.spanId)],
        values,
        timestampsUnixNano,
      };
    }),
  };
}
