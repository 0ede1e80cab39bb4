import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { own } from '../validation/own.js';
import type { PageFile } from './page-bundle.js';

export type PageBundle = Readonly<Record<string, PageFile>>;

/** A file of the page, ready to send. */
export interface ServedFile {
  readonly type: string;
  readonly etag: string;
  readonly gzipped: boolean;
  readonly content: Buffer;
}

const gunzipped = promisify(gunzip);

/** The files of the page, loaded by the first request and cached in memory. */
export class PageFiles {
  private bundle: Promise<PageBundle> | undefined;
  private readonly contents = new Map<string, Buffer>();

  /** @param load loads the files; can be replaced until the first request */
  constructor(public load: () => Promise<PageBundle> = loadBundle) {}

  /** False in a checkout without a build. */
  async isBuilt(): Promise<boolean> {
    return Object.keys(await this.files()).length > 0;
  }

  /** The file of this name, gzipped if the client accepts it; undefined if there is none. */
  async find(name: string, acceptsGzip: boolean): Promise<ServedFile | undefined> {
    const files = await this.files();
    const file = own(files, name);
    if (file === undefined) return undefined;
    const { type, etag, gzip } = file;
    const key = `${name} ${acceptsGzip}`;
    let content = this.contents.get(key);
    if (content === undefined) {
      const zipped = Buffer.from(gzip, 'base64');
      content = acceptsGzip ? zipped : await gunzipped(zipped);
      this.contents.set(key, content);
    }
    return { type, etag, gzipped: acceptsGzip, content };
  }

  private files(): Promise<PageBundle> {
    this.bundle ??= this.load().catch((error: unknown) => {
      this.bundle = undefined;
      throw error;
    });
    return this.bundle;
  }
}

/** Imported on demand: the module is large, and most processes never show the page. */
async function loadBundle(): Promise<PageBundle> {
  return (await import('./page-bundle.js')).PAGE_BUNDLE;
}
