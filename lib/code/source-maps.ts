import type { CallSite, RawFrame } from './call-site.js';
import { pathOf, shownPath } from './code-path.js';
import { loadPositionMap, type PositionMap } from './position-map.js';

/** How much is remembered. */
export interface SourceMapsOptions {
  /** A larger map is not read: parsing it would block. */
  readonly maxBytes?: number;
  /** The files remembered; the ones asked for longest ago give way. */
  readonly maxFiles?: number;
}

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;
const DEFAULT_MAX_FILES = 200;

/**
 * All mappings together hold no more than this part of the largest map; the rest of a map is the text of its sources.
 * With the defaults these are 4 MB, which decoded take 80 MB and some tenths of a second.
 */
const MAPPINGS_PART = 1 / 4;

interface KnownFile {
  known: Promise<void>;
  map: PositionMap | undefined;
}

/** From the lines that run to the lines that were written. Reads ahead, so that asking is synchronous. */
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

  /** Begins to read the map of a file, once. Never rejects; resolves when it is known whether there is one. */
  prepare(url: string): Promise<void> {
    const path = pathOf(url);
    if (path === undefined) return Promise.resolve();
    let file = this.files.get(path);
    if (file === undefined) {
      file = { known: Promise.resolve(), map: undefined };
      file.known = this.read(path, file);
    }
    // The order of the map is that of the asking.
    this.files.delete(path);
    this.files.set(path, file);
    this.forgetBeyondBounds();
    return file.known;
  }

  /** The original position as far as it is known by now, else the given one. Does no I/O and never throws. */
  locate(frame: RawFrame): CallSite {
    const { line, column, url } = frame;
    const original = frame.mapped === true ? undefined : this.find(frame);
    return {
      function: frame.functionName,
      file: shownPath(original?.source ?? url),
      line: original?.line ?? line,
      column: original?.column ?? column,
    };
  }

  private find({ url, line, column }: RawFrame): ReturnType<PositionMap['find']> {
    const file = this.files.get(pathOf(url) ?? '');
    try {
      return file?.map?.find(line, column);
    } catch {
      // Its mappings are broken, and would be decoded in vain each time.
      if (file !== undefined) this.drop(file);
      return undefined;
    }
  }

  private async read(path: string, file: KnownFile): Promise<void> {
    try {
      const map = await loadPositionMap(path, this.maxBytes, this.maxMappings);
      // Meanwhile it may have given way to others.
      if (this.files.get(path) !== file || map === undefined) return;
      file.map = map;
      this.held += map.size;
      this.forgetBeyondBounds();
    } catch {
      // No file, no map, or one that cannot be read: the position that runs is the best there is.
    }
  }

  private forgetBeyondBounds(): void {
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
