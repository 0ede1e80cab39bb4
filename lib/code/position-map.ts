import { findSourceMap, type SourceMap } from 'node:module';
import { asOwnPause } from '../async/own-pauses.js';
import { readSourceMap } from './source-map-file.js';

/** A position in an original source. Line and column are 1-based. */
export interface OriginalPosition {
  readonly source: string;
  readonly line: number;
  readonly column: number;
}

/** Maps the positions of one file. */
export interface PositionMap {
  /** The characters of its mappings. Decoded, each takes about 20 bytes. */
  readonly size: number;
  find(line: number, column: number): OriginalPosition | undefined;
}

/** A source map, or an index map, which consists of sections with a map each. */
interface MapJson {
  mappings?: unknown;
  sourcesContent?: unknown;
  sections?: readonly { map: MapJson }[];
}

/**
 * Loads the map of a file. Prefers the one that Node has loaded with `--enable-source-maps`, which includes code that a
 * loader has transformed in memory, over the one on disk.
 * @param maxBytes a larger map is not read
 * @param maxMappings a map with more characters of mappings is not used
 */
export async function loadPositionMap(
  path: string,
  maxBytes: number,
  maxMappings: number,
): Promise<PositionMap | undefined> {
  const loaded = findSourceMap(path);
  if (loaded !== undefined) return ofNode(loaded);
  const text = await readSourceMap(path, maxBytes);
  if (text === undefined) return undefined;
  const json = asOwnPause(() => JSON.parse(text.json) as MapJson);
  const size = slim(json);
  if (size > maxMappings) return undefined;
  const { FlattenMap, originalPositionFor } = await import('./mappings.js');
  // Decodes the mappings on first use, except for an index map.
  const map = asOwnPause(() => new FlattenMap(json as ConstructorParameters<typeof FlattenMap>[0], text.url));
  return {
    size,
    find(line, column) {
      const found = asOwnPause(() => originalPositionFor(map, { line, column: column - 1 }));
      // A broken map may refer to sources that it does not list.
      if (typeof found.source !== 'string') return undefined;
      return { source: found.source, line: found.line, column: found.column + 1 };
    },
  };
}

/** Drops the source texts, which are not used. Returns the characters of all mappings. */
function slim(json: MapJson): number {
  delete json.sourcesContent;
  if (json.sections !== undefined) return json.sections.reduce((sum, { map }) => sum + slim(map), 0);
  if (typeof json.mappings !== 'string') throw new TypeError('The source map has no mappings');
  return json.mappings.length;
}

/** Has size 0, because Node holds the map anyway. */
function ofNode(map: SourceMap): PositionMap {
  return {
    size: 0,
    find(line, column) {
      const found = map.findEntry(line - 1, column - 1);
      if (!('originalSource' in found) || !found.originalSource) return undefined;
      return { source: found.originalSource, line: found.originalLine + 1, column: found.originalColumn + 1 };
    },
  };
}
