/** A file of the page, ready to be sent. */
export interface PageFile {
  readonly type: string;
  readonly etag: string;
  /** Compressed, in base64. */
  readonly gzip: string;
}

/** The files of the page by name. The build writes them over the compiled form of this file. */
export const PAGE_BUNDLE: Readonly<Record<string, PageFile>> = {};
