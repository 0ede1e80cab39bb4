import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { BadRequestException, UnprocessableEntityException } from '@nestjs/common';
import type { ProfileInfo } from '../../profiling/profile-info.js';
import { profileName } from '../../profiling/profile-names.js';
import { toPprof } from '../../profiling/profile-shipping.js';
import { invalid } from '../../validation/options-error.js';
import { Answer } from './answer.js';

/** An opened profile. The receiver must consume or destroy its stream. */
export interface OpenedProfile {
  readonly info: Omit<ProfileInfo, 'path'>;
  readonly content: Readable;
}

const MB = 1024 * 1024;
/** The conversion to pprof holds several copies of the file in memory. */
const MAX_PPROF_SOURCE_BYTES = 64 * MB;

/** Streams the stored file as a download. */
export function nativeFile({ info, content }: OpenedProfile): Answer {
  return Answer.of(content, {
    'Content-Type': 'application/json',
    'Content-Disposition': attachment(profileName(info.id, info.type)),
    'Content-Length': String(info.bytes),
  });
}

/**
 * The profile as gzipped pprof, as a download.
 * @throws BadRequestException for a heap snapshot, UnprocessableEntityException for a malformed file or one above 64 MB
 */
export async function pprofFile({ info, content }: OpenedProfile): Promise<Answer> {
  try {
    const pprof = await encoded(info, content);
    return Answer.of(pprof, {
      'Content-Type': 'application/octet-stream',
      'Content-Disposition': attachment(`${info.id}.pb.gz`),
    });
  } finally {
    content.destroy();
  }
}

async function encoded(info: OpenedProfile['info'], content: Readable): Promise<Uint8Array> {
  const { type, bytes } = info;
  if (type === 'heap_snapshot')
    throw new BadRequestException(invalid('query parameter format', '"pprof"', 'native for a heap snapshot'));
  if (bytes > MAX_PPROF_SOURCE_BYTES)
    throw new UnprocessableEntityException(
      `The profile is too large for pprof: it has ${Math.ceil(bytes / MB)} MB, the limit is ${MAX_PPROF_SOURCE_BYTES / MB} MB. Download it with the query parameter format=native`,
    );
  const json = await text(content);
  try {
    return await toPprof(info, json);
  } catch (error) {
    // Faults of the file, which other processes may have modified.
    if (error instanceof TypeError || error instanceof SyntaxError)
      throw new UnprocessableEntityException(`The profile is malformed: ${error.message}`);
    throw error;
  }
}

function attachment(fileName: string): string {
  return `attachment; filename="${fileName}"`;
}
