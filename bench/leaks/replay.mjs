// Replays recorded readings through the detector.

/** Bytes of the limit, and readings by the second. */
export function replay({ limit, postMajorGC }, LeakDetector) {
  const detector = new LeakDetector({ heapLimitBytes: limit });
  const found = {};
  let leaks = [];
  for (const row of postMajorGC) {
    detector.add({
      at: row.t * 1000,
      heapUsed: row.oldNoNew,
      heapResident: Number.NaN,
      external: row.ext,
      arrayBuffers: row.ab,
      rss: row.rss,
      inFlight: row.inflight,
      requests: row.req,
      late: row.delayMs,
    });
    leaks = detector.verdicts();
    for (const { memory, state } of leaks) {
      const used = memory === 'heap' ? row.oldNoNew : row.ext;
      found[state] ??= { t: row.t, share: used / limit, memory };
    }
  }
  return { leaks, found };
}

/** Precision and recall of verdicts against labels. */
export function precisionRecall(runs, says) {
  const hits = runs.filter((run) => run.label === 'leak' && says(run)).length;
  const said = runs.filter(says).length;
  const leaking = runs.filter((run) => run.label === 'leak').length;
  return { precision: said === 0 ? Number.NaN : hits / said, recall: hits / leaking };
}
