// Change points in series that people have labelled, scored as in "An Evaluation of Change Point Detection Algorithms" (van den Burg and Williams 2020).
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const MARGIN = 5;
const read = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** @returns `{ name, values, marks }`, where `marks` has the indices that each person marked */
export function markedSeries(folder) {
  const annotations = read(join(folder, 'annotations.json'));
  return readdirSync(folder)
    .map((name) => name.replace('.json', ''))
    .filter((name) => annotations[name] !== undefined)
    .map((name) => {
      const raw = read(join(folder, `${name}.json`)).series[0].raw;
      let last = raw.find((value) => value !== null);
      const values = raw.map((value) => {
        last = value ?? last;
        return last;
      });
      return { name, values, marks: Object.values(annotations[name]) };
    });
}

/** F1 with a margin of 5, and the covering of segments. */
export function scoreMarks({ values, marks }, changes) {
  const found = [0, ...changes];
  const people = marks.map((indices) => [0, ...indices]);
  const all = [...new Set(people.flat())];
  const precision = hits(all, found) / found.length;
  const recall =
    people.reduce((sum, indices) => sum + hits(found, indices) / indices.length, 0) / people.length;
  const f1 = (2 * precision * recall) / (precision + recall);
  const cover =
    people.reduce((sum, indices) => sum + covering(indices, found, values.length), 0) / people.length;
  return { f1, cover };
}

/** The number of `wanted` indices with a `found` one nearby, each of which counts once. */
function hits(found, wanted) {
  const left = new Set(found);
  let count = 0;
  for (const index of wanted) {
    const near = [...left].filter((one) => Math.abs(one - index) <= MARGIN);
    if (near.length === 0) continue;
    left.delete(near.sort((a, b) => Math.abs(a - index) - Math.abs(b - index))[0]);
    count++;
  }
  return count;
}

function covering(real, found, n) {
  const segments = (indices) => indices.map((start, place) => [start, indices[place + 1] ?? n]);
  let sum = 0;
  for (const [from, to] of segments(real)) {
    const best = Math.max(
      ...segments(found).map(([start, end]) => {
        const both = Math.max(0, Math.min(to, end) - Math.max(from, start));
        return both / (Math.max(to, end) - Math.min(from, start));
      }),
    );
    sum += best * (to - from);
  }
  return sum / n;
}
