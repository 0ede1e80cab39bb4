import { open } from 'node:fs/promises';
import { pathOf } from './code-path.js';

/** A larger file is not searched for class names: it is a bundle, and rarely indented. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** The text of files that run, with a cache: many slow operations need the same files. */
export class SourceTexts {
  private readonly files = new Map<string, { lines: Promise<readonly string[]>; bytes: number }>();
  private bytes = 0;

  /** @param maxBytes the size of the cache; the least recently used files are dropped */
  constructor(private readonly maxBytes = 8 * 1024 * 1024) {}

  /** The lines of a file from its path or `file://` URL; empty if it cannot be read. Never rejects. */
  lines(url: string): Promise<readonly string[]> {
    const known = this.files.get(url);
    const file = known ?? { lines: Promise.resolve<readonly string[]>([]), bytes: 0 };
    if (known === undefined) file.lines = this.read(url, file);
    // Keeps the files in order of use.
    this.files.delete(url);
    this.files.set(url, file);
    return file.lines;
  }

  /** Bytes in the cache. */
  get size(): number {
    return this.bytes;
  }

  private async read(url: string, file: { bytes: number }): Promise<readonly string[]> {
    const text = await textOf(url);
    file.bytes = text.length;
    this.bytes += text.length;
    for (const [other, { bytes }] of this.files) {
      if (this.bytes <= this.maxBytes) break;
      this.files.delete(other);
      this.bytes -= bytes;
    }
    return text === '' ? [] : text.split('\n');
  }
}

async function textOf(url: string): Promise<string> {
  const path = pathOf(url);
  if (path === undefined) return '';
  try {
    const file = await open(path);
    try {
      if ((await file.stat()).size > MAX_FILE_BYTES) return '';
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch {
    return '';
  }
}
