import type { Profiler } from 'node:inspector';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { arrayAt, CheckedNodes, numberAt, objectAt, reject } from '../profiling/checked-profile.js';
import type { ProfileInfo } from '../profiling/profile-info.js';
import { describedProfile, type NewProfile } from '../profiling/profile-sidecar.js';
import { own } from '../validation/own.js';

const FORMAT = 'nestjs-performance-profile';
const FORMAT_VERSION = 1;
/** Of a profile that is kept, in bytes: as a file, and compressed as text. */
export const MAX_PROFILE_BYTES = 2 * 1024 * 1024;
export const MAX_PROFILE_TEXT_BYTES = 256 * 1024;
/** V8 samples stacks of up to 255 calls. */
const MAX_DEPTH = 512;
const MAX_SIDE_LENGTH = 1024;

/** The CPU profile of a slow operation of another instance. */
export interface ProfileRecord {
  /** The `service.instance.id` of the instance. */
  readonly instance: string;
  readonly info: NewProfile;
  /** The size of the file in bytes. */
  readonly bytes: number;
  /** In the inspector's format, as JSON; undefined if it is too large for the store. */
  readonly content: string | undefined;
}

/** The text of a profile, without its content if that is too large; undefined for what is no CPU profile. */
export async function encodeProfile(
  service: string,
  instance: string,
  { info: { path: _path, bytes, ...info }, text }: { info: ProfileInfo; text?: string },
): Promise<string | undefined> {
  if (info.type !== 'cpu') return undefined;
  const record = { format: FORMAT, formatVersion: FORMAT_VERSION, service, instance, bytes, info };
  if (text !== undefined) {
    const content = (await promisify(gzip)(text)).toString('base64');
    const whole = JSON.stringify({ ...record, content });
    if (Buffer.byteLength(whole) <= MAX_PROFILE_TEXT_BYTES) return whole;
  }
  return JSON.stringify(record);
}

/** The profile with this id; undefined for any text that is not one of this service. Whatever it is, others have written it. */
export async function decodeProfile(
  service: string,
  id: string,
  encoded: unknown,
): Promise<ProfileRecord | undefined> {
  if (typeof encoded !== 'string' || Buffer.byteLength(encoded) > MAX_PROFILE_TEXT_BYTES) return undefined;
  try {
    const record = objectAt(JSON.parse(encoded), 'record');
    if (record['format'] !== FORMAT || record['formatVersion'] !== FORMAT_VERSION) return undefined;
    const { instance, bytes, content } = record;
    const info = describedProfile(own(record, 'info'), id);
    if (record['service'] !== service || info?.type !== 'cpu' || typeof instance !== 'string')
      return undefined;
    if (instance.length > MAX_SIDE_LENGTH || !Number.isSafeInteger(bytes)) return undefined;
    const known = { instance, info, bytes: bytes as number };
    if (content === undefined) return { ...known, content };
    const json = await promisify(gunzip)(Buffer.from(String(content), 'base64'), {
      maxOutputLength: MAX_PROFILE_BYTES,
    });
    return { ...known, content: JSON.stringify(checkedProfile(JSON.parse(json.toString()))) };
  } catch {
    return undefined;
  }
}

/** The known fields of a CPU profile, whose nodes are a tree. @throws TypeError for any other value */
function checkedProfile(value: unknown): Profiler.Profile {
  const raw = objectAt(value, 'profile');
  const nodes = new CheckedNodes();
  for (const [index, node] of arrayAt(raw['nodes'], 'nodes').entries()) nodes.add(node, `nodes[${index}]`);
  nodes.link('nodes');
  const children = childrenOf(nodes);
  const samples = arrayAt(raw['samples'], 'samples').map((id) => {
    if (nodes.placeOf(id) === undefined) reject('samples', id, 'the id of a node');
    return id as number;
  });
  return {
    nodes: nodes.list.map(({ name, url, line, column, raw: node }, place) => ({
      id: node['id'] as number,
      callFrame: { scriptId: '0', functionName: name, url, lineNumber: line - 1, columnNumber: column - 1 },
      hitCount: numberAt(node['hitCount'], 'hitCount'),
      ...(children[place]?.length === 0 ? {} : { children: children[place] }),
    })),
    startTime: numberAt(raw['startTime'], 'startTime'),
    endTime: numberAt(raw['endTime'], 'endTime'),
    samples,
    timeDeltas: arrayAt(raw['timeDeltas'], 'timeDeltas').map((delta) => numberAt(delta, 'timeDeltas')),
  };
}

/** By node: the ids of its children, each of which has one parent. */
function childrenOf({ list }: CheckedNodes): number[][] {
  const children: number[][] = list.map(() => []);
  for (const { parent, raw } of list) children[parent]?.push(raw['id'] as number);
  for (const node of list) {
    let depth = 0;
    for (let at = node.parent; at >= 0; at = list[at]?.parent ?? -1)
      if (++depth > MAX_DEPTH) reject('nodes', depth, `at most ${MAX_DEPTH} calls in a stack`);
  }
  return children;
}
