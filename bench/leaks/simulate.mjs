// Random courses of memory, half of which leak.
import { print, table } from '../support/figures.mjs';

/** Simulates the seeds 1 to `courses` of each half. */
export function simulate(LeakDetector, { readings, healthyCourse, leakingCourse }, courses) {
  const [healthy, leaking] = [new Map(), new Map()];
  for (let seed = 1; seed <= courses; seed++) {
    const quiet = healthyCourse(seed);
    const seen = look(LeakDetector, readings, quiet);
    count(healthy, quiet.name, [
      seen.suspect !== undefined,
      seen.confirmed !== undefined,
      seen.atEnd.length > 0,
      seen.atEnd.some(({ state }) => state === 'confirmed'),
    ]);
    const course = leakingCourse(seed);
    const found = look(LeakDetector, readings, course);
    const first = found.suspect ?? found.confirmed;
    count(leaking, course.name, [
      early(first, course),
      early(found.confirmed, course),
      near(first, course),
      near(found.confirmed, course),
    ]);
  }
  print('Courses without a leak, by false verdicts.');
  show(healthy, ['ever any', 'ever a confirmed one', 'any at the end', 'a confirmed one at the end']);
  print(
    'Courses that leak: how many had a verdict before 70 % of the limit, and how good the time left was.',
  );
  show(leaking, ['any', 'a confirmed one', 'first within a factor of 2', 'confirmed within a factor of 2']);
}

function look(LeakDetector, readings, course) {
  const { limitBytes: heapLimitBytes, rssLimitBytes } = course;
  const detector = new LeakDetector({ heapLimitBytes, rssLimitBytes });
  const seen = { atEnd: [] };
  let started;
  for (const reading of readings(course)) {
    started ??= reading.at;
    detector.add(reading);
    seen.atEnd = detector.verdicts();
    for (const leak of seen.atEnd) seen[leak.state] ??= { t: reading.at - started, leak };
  }
  return seen;
}

function early(seen, course) {
  return seen !== undefined && course.used(seen.t) < 0.7;
}

function near(seen, course) {
  if (seen === undefined) return false;
  const ratio = seen.leak.timeToLimitMs / (course.forMs - seen.t);
  return ratio > 0.5 && ratio < 2;
}

function count(rows, name, happened) {
  for (const key of [name, 'all']) {
    const row = rows.get(key) ?? { courses: 0, counts: happened.map(() => 0) };
    rows.set(key, row);
    row.courses++;
    happened.forEach((yes, i) => {
      if (yes) row.counts[i]++;
    });
  }
}

function show(rows, titles) {
  const names = [...rows.keys()].filter((name) => name !== 'all').sort();
  table(
    ['course', 'number', ...titles],
    [...names, 'all'].map((name) => {
      const { courses, counts } = rows.get(name);
      return [name, String(courses), ...counts.map((number) => `${number}`)];
    }),
  );
}
