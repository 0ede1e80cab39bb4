import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { BadRequestException, UnprocessableEntityException } from '@nestjs/common';
import type { ProfileInfo } from '../../profiling/profile-info.js';
import { profileName } from '../../profiling/profile-names.js';
import { toPprof } from '../../profiling/profile-shipping.js';
import { Answer } from './answer.js';

/** A profile that was opened; who is given it ends the stream. */
interface OpenedProfile {
  readonly info: ProfileInfo;
  readonly content: Readable;
}

const MB = 1024 * 1024;
/** A file that is turned into pprof is held in memory, several times over. */
const MAX_PPROF_SOURCE_BYTES = 64 * MB;

/** The file as it is kept, as a download that is read while it is sent. */
export function nativeFile({ info, content }: OpenedProfile): Answer {
  return Answer.of(content, {
    'Content-Type': 'application/json',
    'Content-Disposition': attachment(profileName(info.id, info.type)),
    'Content-Length': String(info.bytes),
  });
}

/**
 * The profile as gzipped pprof, as a download.
 * @throws BadRequestException for a heap snapshot, UnprocessableEntityException for a file that is malformed or above 64 MB
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

async function encoded(info: ProfileInfo, content: Readable): Promise<Uint8Array> {
  const { type, bytes } = info;
  if (type === 'heap_snapshot')
    throw new BadRequestException(
      'The query parameter format is "pprof", which is not allowed for a heap snapshot: give native',
    );
  if (bytes > MAX_PPROF_SOURCE_BYTES)
    throw new UnprocessableEntityException(
      `The profile has ${Math.ceil(bytes / MB)} MB, and pprof is made of ${MAX_PPROF_SOURCE_BYTES / MB} MB at the most: give the query parameter format=native`,
    );
  const json = await text(content);
  try {
    return await toPprof(info, json);
  } catch (error) {
    // What is wrong with the file, which others may have written to.
    if (error instanceof TypeError || error instanceof SyntaxError)
      throw new UnprocessableEntityException(`The profile is malformed: ${error.message}`);
    throw error;
  }
}

function attachment(fileName: string): string {
  return `attachment; filename="${fileName}"`;
}
