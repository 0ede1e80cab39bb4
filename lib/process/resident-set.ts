let known = 0;

/**
 * The resident set of the process in bytes, from the operating system. Reading it opens a file on Linux: while the process may open no
 * more, Node throws, and the last known size is returned, 0 if there is none.
 */
export function residentBytes(): number {
  try {
    known = process.memoryUsage.rss();
  } catch {
    // It is for those who open files to say so.
  }
  return known;
}
