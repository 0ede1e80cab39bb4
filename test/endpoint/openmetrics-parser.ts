/** An exemplar of a sample. */
export interface ParsedExemplar {
  labels: Record<string, string>;
  value: number;
  timestamp: number;
}

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
  exemplar?: ParsedExemplar;
}

const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: # \{([^}]*)\} (\S+) (\d+\.\d{3}))?$/s;
const SUFFIXES: Record<string, string[]> = {
  counter: ['_total'],
  gauge: [''],
  info: ['_info'],
  histogram: ['_bucket', '_sum', '_count'],
};

/**
 * Parses OpenMetrics 1.0 and rejects what the specification forbids: samples without a family or interleaved, duplicate
 * series, decreasing buckets, inconsistent counts, misplaced exemplars.
 */
export function parseOpenMetrics(text: string): ParsedMetrics {
  if (!text.endsWith('\n# EOF\n')) throw new Error('does not end in # EOF');
  const lines = text.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1);
  const types = new Map<string, string>();
  const seen = new Set<string>();
  const samples: Sample[] = [];
  let family = '';
  for (const line of lines) {
    const [mark, what, name = '', value = ''] = line.split(' ');
    if (mark === '#') {
      if (what === 'HELP' && types.has(name)) throw new Error(`family twice: ${name}`);
      if (what === 'TYPE') types.set(name, value);
      if (what === 'UNIT' && !name.endsWith(`_${value}`)) throw new Error(`unit not in the name: ${line}`);
      family = name;
      continue;
    }
    const sample = parseSample(line);
    const suffixes = SUFFIXES[types.get(family) ?? ''] ?? [];
    if (!suffixes.some((suffix) => sample.name === family + suffix)) throw new Error(`of no family: ${line}`);
    if (sample.exemplar !== undefined && !/_(bucket|total)$/.test(sample.name))
      throw new Error(`no exemplar may be here: ${line}`);
    const key = `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`;
    if (seen.has(key)) throw new Error(`series twice: ${line}`);
    seen.add(key);
    samples.push(sample);
  }
  checkHistograms(samples);
  return new ParsedMetrics(samples);
}

export class ParsedMetrics {
  constructor(readonly samples: readonly Sample[]) {}

  /** The value of the series that has at least these labels. */
  value(name: string, labels: Record<string, string>, { partly = false } = {}): number | undefined {
    return this.samples.find(
      (sample) =>
        sample.name === name &&
        fits(sample, labels) &&
        (partly || Object.keys(sample.labels).length === Object.keys(labels).length),
    )?.value;
  }

  exemplars(name: string, labels: Record<string, string>): ParsedExemplar[] {
    return this.samples
      .filter((sample) => sample.name === name && fits(sample, labels))
      .flatMap(({ exemplar }) => exemplar ?? []);
  }
}

function fits(sample: Sample, labels: Record<string, string>): boolean {
  return Object.entries(labels).every(([key, value]) => sample.labels[key] === value);
}

function parseSample(line: string): Sample {
  // A label value may contain a brace.
  const match = SAMPLE.exec(line) ?? undefined;
  if (match === undefined) throw new Error(`no sample: ${line}`);
  const [, name = '', labels = '', value = '', exemplarLabels, exemplarValue, timestamp] = match;
  const sample: Sample = { name, labels: parseLabels(labels), value: parseNumber(value) };
  if (exemplarLabels !== undefined) {
    const parsed = parseLabels(exemplarLabels);
    if (Object.entries(parsed).flat().join('').length > 128) throw new Error(`exemplar too long: ${line}`);
    sample.exemplar = {
      labels: parsed,
      value: parseNumber(exemplarValue ?? ''),
      timestamp: Number(timestamp),
    };
  }
  return sample;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const match = LABEL.exec(text);
    if (match === null) throw new Error(`no labels: ${text}`);
    const [, key = '', value = ''] = match;
    if (Object.hasOwn(labels, key)) throw new Error(`label twice: ${text}`);
    labels[key] = value.replace(/\\(.)/g, (_, one: string) => (one === 'n' ? '\n' : one));
  }
  return labels;
}

function parseNumber(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (!/^-?\d+(\.\d+)?(e[+-]\d+)?$/.test(text)) throw new Error(`no number: ${text}`);
  return Number(text);
}

function checkHistograms(samples: readonly Sample[]): void {
  const last = new Map<string, { le: number; count: number }>();
  for (const { name, labels, value, exemplar } of samples) {
    const { le, ...own } = labels;
    const series = `${name.replace(/_(bucket|sum|count)$/, '')}${JSON.stringify(own)}`;
    if (name.endsWith('_bucket')) {
      if (le === undefined || !/^(\d+\.\d+|\+Inf)$/.test(le)) throw new Error(`no bound: ${le}`);
      const bound = parseNumber(le);
      const before = last.get(series) ?? { le: 0, count: 0 };
      if (bound <= before.le || value < before.count) throw new Error(`buckets fall: ${series}`);
      if (exemplar !== undefined && (exemplar.value > bound || exemplar.value <= before.le))
        throw new Error(`exemplar of another bucket: ${series}`);
      last.set(series, { le: bound, count: value });
    } else if (name.endsWith('_count')) {
      const end = last.get(series);
      if (end?.le !== Number.POSITIVE_INFINITY || end.count !== value)
        throw new Error(`counts differ: ${series}`);
    }
  }
}
