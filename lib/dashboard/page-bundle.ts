/** One file of the page. */
export interface PageFile {
  /** Its content type. */
  readonly type: string;
  readonly etag: string;
  /** The content, gzipped, in base64. */
  readonly gzip: string;
}

/** The files of the page by name. The build replaces this module; without a build there are none. */
export const PAGE_BUNDLE: Readonly<Record<string, PageFile>> = {};
