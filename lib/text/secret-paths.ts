import { cachedByText } from './cached-text.js';

/** Services whose paths are secrets: incoming webhooks and bots. */
const HOSTS =
  /^(?:(?:web)?hooks?\.|api\.telegram\.org$|outlook\.office|[^/]*\.webhook\.office\.com$|(?:[\w-]+\.)?discord(?:app)?\.com$|maker\.ifttt\.com$)/i;
/** The same by their form, as behind a proxy: `/bot1:secret`, `/services/T1/B1/secret`, `/webhooks/1/secret`. */
const SEGMENTS =
  /(\/(?:bot(?=\d{1,20}:)|services\/(?=T\w{1,20}\/B\w{1,20}\/)|(?:[Ww]eb)?[Hh]ooks?\/(?=(?:[\w.~-]{1,64}\/){0,3}(?=[\w-]{0,128}\d)[\w-]{16})))[^\s"'<>]*/g;

/** Whether the paths of a host, with or without a port, are secrets. */
export const hasSecretPaths = cachedByText((host) => {
  const port = host.lastIndexOf(':');
  return HOSTS.test(port < 0 ? host : host.slice(0, port));
});

/** A path, or a text with paths, without the segments that are secrets: `/api/webhooks/?`. */
export function withoutSecretSegments(text: string): string {
  // Called for each path: faster than a regular expression.
  const mayMatch = text.includes('ook') || text.includes('/bot') || text.includes('/services/');
  return mayMatch ? text.replace(SEGMENTS, '$1?') : text;
}
