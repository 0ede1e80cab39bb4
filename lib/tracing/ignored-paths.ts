/** Requests that are not measured, by their path. */
export interface IgnoredPaths {
  readonly exact: ReadonlySet<string>;
  readonly prefixes: readonly string[];
  readonly patterns: readonly RegExp[];
}

/** Sorts the paths to ignore: those that end in `/` stand for all below them. */
export function ignoredPaths(ignore: readonly (string | RegExp)[]): IgnoredPaths {
  const paths = ignore.filter((item): item is string => typeof item === 'string');
  return {
    exact: new Set(paths.filter((path) => path === '/' || !path.endsWith('/'))),
    prefixes: paths.filter((path) => path !== '/' && path.endsWith('/')),
    // A pattern with the flag g or y remembers where it was, and would match every other time.
    patterns: ignore
      .filter((item) => item instanceof RegExp)
      .map((pattern) => new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''))),
  };
}

/** Whether requests of this path are not to be measured. */
export function isIgnored({ exact, prefixes, patterns }: IgnoredPaths, path: string): boolean {
  return (
    exact.has(path) ||
    prefixes.some((prefix) => path.startsWith(prefix)) ||
    patterns.some((pattern) => pattern.test(path))
  );
}
