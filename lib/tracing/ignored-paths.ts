/**
 * Returns a function that says whether requests for a path are not measured.
 * @param ignore exact paths, all paths below one that ends in `/`, and patterns
 */
export function ignoredPaths(ignore: readonly (string | RegExp)[]): (path: string) => boolean {
  const paths = ignore.filter((item): item is string => typeof item === 'string');
  const exact = paths.filter((path) => path === '/' || !path.endsWith('/'));
  // A path is another string with each request: its hash costs more than some comparisons.
  const [few, others] = [exact.slice(0, 8), new Set(exact.slice(8))];
  const prefixes = paths.filter((path) => path !== '/' && path.endsWith('/'));
  // A pattern with the flag g or y keeps its last index, and would match only every other time.
  const patterns = ignore
    .filter((item) => item instanceof RegExp)
    .map((pattern) => new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')));
  return (path) => {
    for (const each of few) if (path === each) return true;
    if (others.size > 0 && others.has(path)) return true;
    for (const prefix of prefixes) if (path.startsWith(prefix)) return true;
    for (const pattern of patterns) if (pattern.test(path)) return true;
    return false;
  };
}
