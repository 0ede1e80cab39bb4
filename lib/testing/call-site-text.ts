import type { CallSite } from '../code/call-site.js';

/** `AlbumsService.withTracks (src/albums.service.ts:42)`, of which a terminal makes a link. */
export function lineOf({ function: name, file, line }: CallSite): string {
  return `${name} (${file}:${line})`;
}
