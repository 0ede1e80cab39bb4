import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { own } from '../validation/own.js';
import type { PageFile } from './page-bundle.js';

export type PageBundle = Readonly<Record<string, PageFile>>;

/** A file of the page as it is answered. */
export interface ServedFile {
  readonly type: string;
  readonly etag: string;
  readonly gzipped: boolean;
  readonly content: Buffer;
}

const gunzipped = promisify(gunzip);

/** The files of the page: read at the first request of one of them, and held in memory from then on. */
export class PageFiles {
  private bundle: Promise<PageBundle> | undefined;
  private readonly contents = new Map<string, Buffer>();

  /** @param load what gives the files; until the first request it may be replaced */
  constructor(public load: () => Promise<PageBundle> = loadBundle) {}

  /** Whether there is a page: a checkout that was not built has none. */
  async isBuilt(): Promise<boolean> {
    return Object.keys(await this.files()).length > 0;
  }

  /** The file of this name, gzipped where the client takes that; nothing where there is none of this name. */
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

/** Apart from the rest: it is large, and most processes never show the page. */
async function loadBundle(): Promise<PageBundle> {
  return (await import('./page-bundle.js')).PAGE_BUNDLE;
}
