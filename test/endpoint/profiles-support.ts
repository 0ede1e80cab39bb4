import { once } from 'node:events';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { parse } from 'protobufjs';

/** The used part of https://github.com/google/pprof/blob/main/proto/profile.proto. */
const PROFILE = parse(`
  syntax = "proto3";
  message ValueType { int64 type = 1; int64 unit = 2; }
  message Sample { repeated uint64 location_id = 1; repeated int64 value = 2; }
  message Line { uint64 function_id = 1; int64 line = 2; }
  message Location { uint64 id = 1; uint64 mapping_id = 2; uint64 address = 3; repeated Line line = 4; }
  message Function { uint64 id = 1; int64 name = 2; int64 system_name = 3; int64 filename = 4; }
  message Profile {
    repeated ValueType sample_type = 1;
    repeated Sample sample = 2;
    repeated Location location = 4;
    repeated Function function = 5;
    repeated string string_table = 6;
  }`).root.lookupType('Profile');

interface Pprof {
  sampleType: { type: number; unit: number }[];
  sample: { locationId: number[]; value: number[] }[];
  location: { id: number; line: { functionId: number }[] }[];
  function: { id: number; name: number }[];
  stringTable: string[];
}

/** The sample types, the values of the samples, and their function names, the innermost first. */
export function decodePprof(bytes: Uint8Array): { types: string[]; samples: number[][]; stacks: string[][] } {
  const decoded = PROFILE.toObject(PROFILE.decode(gunzipSync(bytes)), { longs: Number, arrays: true });
  const { sampleType, sample, location, function: functions, stringTable } = decoded as Pprof;
  const names = new Map(functions.map(({ id, name }) => [id, stringTable[name] ?? '?']));
  const lines = new Map(
    location.map(({ id, line }) => [id, line.map((one) => names.get(one.functionId) ?? '?')]),
  );
  return {
    types: sampleType.map(({ type, unit }) => `${stringTable[type]}/${stringTable[unit]}`),
    samples: sample.map(({ value }) => value),
    stacks: sample.map(({ locationId }) => locationId.flatMap((id) => lines.get(id) ?? ['?'])),
  };
}

/** A request with a controllable connection and headers. */
export function send(method: string, url: string, headers: Record<string, string> = {}): ClientRequest {
  const request = http.request(url, { method, agent: false, headers });
  request.on('error', () => {});
  request.end();
  return request;
}

export async function statusOf(request: ClientRequest): Promise<number | undefined> {
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode;
}
