import { gunzipSync } from 'node:zlib';

const BLOCK = 512;

/**
 * The files of a tarball as npm packs it, by their paths: read here, since not every machine has a `tar`.
 * @throws for an entry of a type that npm does not pack
 */
export function unpack(archive: Buffer): Map<string, Buffer> {
  const tar = gunzipSync(archive);
  const files = new Map<string, Buffer>();
  let longPath: string | undefined;
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0; ) {
    const field = (from: number, length: number): string =>
      tar.toString('utf8', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(field(124, 12), 8);
    const type = field(156, 1);
    const content = tar.subarray(at + BLOCK, at + BLOCK + size);
    if (type === 'x') longPath = /^\d+ path=(.+)$/m.exec(content.toString())?.[1];
    else if (type === '0' || type === '') {
      const prefix = field(345, 155);
      files.set(longPath ?? (prefix === '' ? field(0, 100) : `${prefix}/${field(0, 100)}`), content);
      longPath = undefined;
    } else if (type !== 'g') throw new Error(`an entry of the type ${type}, expected files alone`);
    at += BLOCK * (1 + Math.ceil(size / BLOCK));
  }
  return files;
}
