import { findSourceMap, type SourceMap } from 'node:module';
import { readSourceMap } from './source-map-file.js';

/** A position in an original source. Lines and columns count from 1. */
export interface OriginalPosition {
  readonly source: string;
  readonly line: number;
  readonly column: number;
}

/** What maps the positions of one file. */
export interface PositionMap {
  /** The characters of its mappings. Decoded, each takes about twenty bytes. */
  readonly size: number;
  find(line: number, column: number): OriginalPosition | undefined;
}

/** A map, or an index map: of sections, each with a map. */
interface MapJson {
  mappings?: unknown;
  sourcesContent?: unknown;
  sections?: readonly { map: MapJson }[];
}

/**
 * Finds what maps a file: what Node has loaded with `--enable-source-maps`, which also knows code that a loader has
 * transformed in memory, else the map on disk.
 * @param maxBytes a larger map is not read
 * @param maxMappings one with more characters of mappings is not used
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
  const json = JSON.parse(text.json) as MapJson;
  const size = slim(json);
  if (size > maxMappings) return undefined;
  const { FlattenMap, originalPositionFor } = await import('@jridgewell/trace-mapping');
  // Decodes the mappings when it is first asked, except an index map's.
  const map = new FlattenMap(json as ConstructorParameters<typeof FlattenMap>[0], text.url);
  return {
    size,
    find(line, column) {
      const found = originalPositionFor(map, { line, column: column - 1 });
      // A broken map leads to sources that it does not list.
      if (typeof found.source !== 'string') return undefined;
      return { source: found.source, line: found.line, column: found.column + 1 };
    },
  };
}

/** Drops the text of the sources, which nobody asks for. Returns the characters of all mappings. */
function slim(json: MapJson): number {
  delete json.sourcesContent;
  if (json.sections !== undefined) return json.sections.reduce((sum, { map }) => sum + slim(map), 0);
  if (typeof json.mappings !== 'string') throw new TypeError('A source map without mappings');
  return json.mappings.length;
}

/** Node holds it anyway, so it counts nothing. */
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
