/** One file of the page, as it is sent. */
export interface PageFile {
  /** Its content type. */
  readonly type: string;
  readonly etag: string;
  /** The content, gzipped, in base64. */
  readonly gzip: string;
}

/** The files of the page by name. The build puts them in the place of this module; a checkout that was not built has none. */
export const PAGE_BUNDLE: Readonly<Record<string, PageFile>> = {};
