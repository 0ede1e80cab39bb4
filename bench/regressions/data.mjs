// Labelled series: hourly latencies, change points, a benchmark of releases.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { print, table } from '../support/figures.mjs';
import { changePoints } from './change-point.mjs';
import { markedSeries, scoreMarks } from './change-points.mjs';
import { hourlySeries, openHours, score } from './hourly.mjs';

export function measureData(library, folder) {
  if (folder === undefined) {
    print(
      '\nLabelled data needs --data=FOLDER with latency-hourly (CSV: time, value, label), change-points (series of the Turing Change Point Dataset, annotations.json, release-benchmark.json).',
    );
    return;
  }
  hourly(join(folder, 'latency-hourly'), library);
  marked(join(folder, 'change-points'));
  releases(join(folder, 'change-points', 'release-benchmark.json'));
}

function hourly(folder, library) {
  const rows = hourlySeries(folder).map((series) => ({
    name: series.name,
    ...score(series, openHours(series, library).flags),
  }));
  print('\nHourly latencies, labelled by experts: rises alone');
  table(
    ['series', 'rises', 'found', 'reported', 'right', 'false'],
    rows.map(({ name, ...row }) => [
      name,
      ...['real', 'found', 'reported', 'right', 'wrong'].map((key) => String(row[key])),
    ]),
  );
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  const precision = sum('right') / (sum('right') + sum('wrong'));
  const recall = sum('found') / sum('real');
  const f1 = (2 * precision * recall) / (precision + recall);
  print(
    `Precision ${precision.toFixed(3)}, recall ${recall.toFixed(3)}, F1 ${f1.toFixed(3)}, false reports per series and week ${(sum('wrong') / sum('weeks')).toFixed(2)}.`,
  );
  print(
    'Published for 23 series: windowed Gaussian F1 0.517 at 0.30, EMA crossover 0.471, plain robust z 0.34.',
  );
}

function marked(folder) {
  const rows = markedSeries(folder).map((series) => {
    const found = changePoints(series.values).map(({ index }) => index);
    return { name: series.name, found, none: scoreMarks(series, []), ...scoreMarks(series, found) };
  });
  print('\nChange points, labelled by five people');
  table(
    ['series', 'found', 'F1', 'covering', 'of none found'],
    rows.map(({ name, found, f1, cover, none }) => [
      name,
      found.join(' ') || '-',
      f1.toFixed(3),
      cover.toFixed(3),
      `${none.f1.toFixed(3)} ${none.cover.toFixed(3)}`,
    ]),
  );
  const mean = (pick) => (rows.reduce((sum, row) => sum + pick(row), 0) / rows.length).toFixed(3);
  print(
    `F1 ${mean(({ f1 }) => f1)}, covering ${mean(({ cover }) => cover)}; nothing found at all: ${mean(({ none }) => none.f1)}, ${mean(({ none }) => none.cover)}.`,
  );
  print(
    'Published for 28 series: none found 0.659 / 0.564, windowed t 0.712 / 0.621, binary segmentation 0.713 / 0.669, adjusted for autocorrelation 0.764 / 0.678.',
  );
}

function releases(path) {
  const { series } = JSON.parse(readFileSync(path, 'utf8'));
  const found = changePoints(series).map(({ index, change }) => `${index} (${(100 * change).toFixed(1)} %)`);
  print(
    `\nRelease benchmark: found ${found.join(', ')}; labelled are 15 and 71, small ones 95, 131, 192, 212.`,
  );
}
