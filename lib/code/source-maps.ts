import { context } from '@opentelemetry/api';
import { UNTRACED } from '../async/untraced.js';
import type { CallSite, RawFrame } from './call-site.js';
import { displayPath, pathOf } from './code-path.js';
import { loadPositionMap, type PositionMap } from './position-map.js';
import { type CodePosition, isDependencyPath, isUserPosition } from './user-code.js';

/** The limits of the cache. */
export interface SourceMapsOptions {
  /** A larger map is not read, because parsing it would block. */
  readonly maxBytes?: number;
  /** The files kept; the least recently used are dropped. */
  readonly maxFiles?: number;
}

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;
const DEFAULT_MAX_FILES = 200;

/**
 * All mappings together are limited to this share of the largest map; the rest of a map is the text of its sources.
 * With the defaults this is 4 MB, which takes 80 MB and a few hundred milliseconds to decode.
 */
const MAPPINGS_PART = 1 / 4;

interface KnownFile {
  known: Promise<void>;
  map: PositionMap | undefined;
}

/**
 * Maps positions in the running code to positions in the source code. Reads maps ahead, so that lookups are
 * synchronous.
 */
export class SourceMaps {
  private readonly files = new Map<string, KnownFile>();
  private readonly maxBytes: number;
  private readonly maxFiles: number;
  private readonly maxMappings: number;
  /** The characters of the mappings of all maps. */
  private held = 0;

  constructor({ maxBytes = DEFAULT_MAX_BYTES, maxFiles = DEFAULT_MAX_FILES }: SourceMapsOptions = {}) {
    this.maxBytes = maxBytes;
    this.maxFiles = maxFiles;
    this.maxMappings = maxBytes * MAPPINGS_PART;
  }

  /** About the memory of all maps, and their number. */
  get bytes(): number {
    return this.held / MAPPINGS_PART;
  }
  get size(): number {
    return this.files.size;
  }

  /** Reads the map of a file, once. Never rejects; resolves when it is known whether there is a map. */
  prepare(url: string): Promise<void> {
    const path = pathOf(url);
    if (path === undefined) return Promise.resolve();
    let file = this.files.get(path);
    if (file === undefined) {
      file = { known: Promise.resolve(), map: undefined };
      const entry = file;
      // The caller's context is often that of a request, to which this work does not belong.
      file.known = context.with(UNTRACED, () => this.read(path, entry));
    }
    // Keeps the files in order of use.
    this.files.delete(path);
    this.files.set(path, file);
    this.evict();
    return file.known;
  }

  /** The original position if its map has been read, else the given one. Does no I/O and never throws. */
  locate(frame: RawFrame): CallSite {
    const { line, column, url } = frame;
    const original = frame.mapped === true ? undefined : this.find(frame);
    return {
      function: frame.functionName,
      file: displayPath(original?.source ?? url),
      line: original?.line ?? line,
      column: original?.column ?? column,
    };
  }

  /**
   * Whether a position is in the user's code: in a bundle, as far as its source map has been read, not in the code of a
   * dependency. Does no I/O and never throws.
   */
  isUser(position: CodePosition): boolean {
    if (!isUserPosition(position)) return false;
    const source = this.find(position)?.source;
    return source === undefined || !isDependencyPath(source);
  }

  private find({ url, line, column }: CodePosition): ReturnType<PositionMap['find']> {
    const file = this.files.get(pathOf(url) ?? '');
    try {
      return file?.map?.find(line, column);
    } catch {
      // The map is broken. Without this, each lookup would decode it again.
      if (file !== undefined) this.drop(file);
      return undefined;
    }
  }

  private async read(path: string, file: KnownFile): Promise<void> {
    try {
      const map = await loadPositionMap(path, this.maxBytes, this.maxMappings);
      // Decodes it now: by the first lookup, it would seem to be work of the operation that is described.
      map?.find(1, 1);
      // The file may have been dropped meanwhile.
      if (this.files.get(path) !== file || map === undefined) return;
      file.map = map;
      this.held += map.size;
      this.evict();
    } catch {
      // There is no file or no valid map: the position in the running code is the best available.
    }
  }

  private evict(): void {
    for (const [path, file] of this.files) {
      if (this.files.size <= this.maxFiles && this.held <= this.maxMappings) return;
      this.files.delete(path);
      this.drop(file);
    }
  }

  private drop(file: KnownFile): void {
    this.held -= file.map?.size ?? 0;
    file.map = undefined;
  }
}
