import leven from 'leven';

/** A rating of a title that takes some milliseconds. */
export function rate(title: string): number {
  let score = 0;
  for (let n = 0; n < 45_000; n++) score += Math.abs(Math.sin(title.charCodeAt(n % title.length) * n)); // call site: side-by-side-rows response
  return score / 45_000;
}

const CATALOG = 'the complete works of the author in one volume with many pictures, '.repeat(14);

/** How far a description is from the catalog's. */
export function distance(title: string): number {
  return leven(CATALOG, title.repeat(96)); // call site: side-by-side-library
}

/** A row as it is shown. */
export function show({ id, title }: { id: number; title: string }): string {
  return [...title].map((_, from) => `${id}${[...title.slice(from)].reverse().join('')}`).join(' '); // call site: large-result
}
