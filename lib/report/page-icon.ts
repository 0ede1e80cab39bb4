const BARS =
  "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><path d='M2 14V9M6 14V3M10 14v-4M14 14V6' stroke='#2f6fde' stroke-width='2.6' stroke-linecap='round'/></svg>";

/**
 * The icon of a page, within it, for a policy that has `img-src data:`. Without one, browsers ask the application for
 * `/favicon.ico`, which is then counted as a request of its own that failed.
 */
export const PAGE_ICON = `<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(BARS)}">`;
