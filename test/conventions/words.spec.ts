import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { run } from '../packaging/processes';

/**
 * Files that still hold such words, as `node tools/words.mjs --files` prints them: this list only shrinks.
 */
const PENDING: readonly string[] = [
  'docs/concepts.md',
  'docs/guides/existing-opentelemetry.md',
  'docs/reference/causes-and-findings.md',
  'docs/reference/command.md',
  'docs/reference/endpoint.md',
  'docs/reference/metrics.md',
  'docs/reference/options.md',
  'lib/alerting/alert-checks.ts',
  'lib/alerting/alert-evaluator.ts',
  'lib/alerting/alert-options.ts',
  'lib/alerting/alert-sources.ts',
  'lib/alerting/alert.ts',
  'lib/alerting/alerting.ts',
  'lib/alerting/alertmanager-notifier.ts',
  'lib/alerting/burn-rate-rules.ts',
  'lib/alerting/burn-rate.ts',
  'lib/alerting/finding-rules.ts',
  'lib/alerting/flapping.ts',
  'lib/alerting/log-notifier.ts',
  'lib/alerting/notification-policy.ts',
  'lib/alerting/notifier-options.ts',
  'lib/alerting/notifier.ts',
  'lib/alerting/process-rules.ts',
  'lib/alerting/silences.ts',
  'lib/alerting/slo-counters.ts',
  'lib/alerting/webhook-notifier.ts',
  'lib/async/deferred-emitter.ts',
  'lib/baseline/baseline-format.ts',
  'lib/baseline/baseline-keeper.ts',
  'lib/baseline/baseline-learner.ts',
  'lib/baseline/baseline-merge.ts',
  'lib/baseline/baseline-store.ts',
  'lib/baseline/baseline-tidy.ts',
  'lib/baseline/baseline.ts',
  'lib/baseline/block-variances.ts',
  'lib/baseline/candidate-search.ts',
  'lib/baseline/change-point.ts',
  'lib/baseline/decimated-series.ts',
  'lib/baseline/file-store.ts',
  'lib/baseline/keyv-store.ts',
  'lib/baseline/regression-detector.ts',
  'lib/baseline/regression-log.ts',
  'lib/baseline/regression-settings.ts',
  'lib/baseline/regression-test.ts',
  'lib/baseline/regression-watch.ts',
  'lib/baseline/regression-words.ts',
  'lib/baseline/regression.ts',
  'lib/baseline/trend-detector.ts',
  'lib/baseline/trend-words.ts',
  'lib/baseline/watched-history.ts',
  'lib/baseline/window-model.ts',
  'lib/code/formatted-positions.ts',
  'lib/code/source-map-file.ts',
  'lib/code/source-maps.ts',
  'lib/code/user-code.ts',
  'lib/inference/latency-histogram.ts',
  'lib/leaks/leak-blocks.ts',
  'lib/leaks/leak-detector.ts',
  'lib/leaks/leak-growth.ts',
  'lib/leaks/leak-load.ts',
  'lib/leaks/leak-series.ts',
  'lib/leaks/leak-suspects.ts',
  'lib/leaks/leak-words.ts',
  'lib/leaks/major-collections.ts',
  'lib/leaks/memory-watch.ts',
  'lib/metrics/counter-table.ts',
  'lib/metrics/duration-instruments.ts',
  'lib/metrics/metric-sources.ts',
  'lib/metrics/metric.ts',
  'lib/metrics/metrics.ts',
  'lib/metrics/operation-metrics.ts',
  'lib/metrics/scrape.ts',
  'lib/metrics/semantic-durations.ts',
  'lib/metrics/series.ts',
  'lib/metrics/target.ts',
  'lib/monitor/long-term-analysis.ts',
  'lib/monitor/monitor-views.ts',
  'lib/monitor/operation-sink.ts',
  'lib/operation/operation.ts',
  'lib/process/active-operation.ts',
  'lib/process/blocking-stack.ts',
  'lib/process/capture-thread.ts',
  'lib/process/event-loop-observer.ts',
  'lib/process/event-loop-watchdog.ts',
  'lib/process/gc-pauses.ts',
  'lib/process/loop-idle.ts',
  'lib/process/shared-cells.ts',
  'lib/profiling/capture-quota.ts',
  'lib/profiling/checked-profile.ts',
  'lib/profiling/context-tracker.ts',
  'lib/profiling/datadog-sampler.ts',
  'lib/profiling/datadog-window.ts',
  'lib/profiling/execution-log.ts',
  'lib/profiling/heap-snapshots.ts',
  'lib/profiling/hot-functions.ts',
  'lib/profiling/inspector-sampler.ts',
  'lib/profiling/memory-limits.ts',
  'lib/profiling/pprof-writer.ts',
  'lib/profiling/pprof.ts',
  'lib/profiling/process-profiler.ts',
  'lib/profiling/profile-content.ts',
  'lib/profiling/profile-directory.ts',
  'lib/profiling/profile-info.ts',
  'lib/profiling/profile-ring.ts',
  'lib/profiling/profile-store.ts',
  'lib/profiling/profiling-options.ts',
  'lib/profiling/pyroscope.ts',
  'lib/profiling/slow-profiles.ts',
  'lib/profiling/snapshot-quota.ts',
  'lib/spans/completed-spans.ts',
  'lib/spans/inputs.ts',
  'lib/spans/live-span.ts',
  'lib/spans/request-work.ts',
  'lib/spans/span-timing.ts',
  'lib/spans/stack-requests.ts',
  'lib/spans/statement-tokens.ts',
  'lib/spans/statement.ts',
  'lib/spans/work-group.ts',
  'lib/statistics/open-window.ts',
  'lib/statistics/operation-history.ts',
  'lib/statistics/operation-statistics.ts',
  'lib/statistics/statistics.ts',
  'lib/text/printable.ts',
  'lib/tracing/http-server.tracer.ts',
  'lib/tracing/known-drivers.ts',
  'lib/tracing/served-request.ts',
  'lib/tracing/start-metrics.ts',
];

const repository = join(__dirname, '../..');

/** `file:line: word` for each word found. */
async function wordsIn(...paths: string[]): Promise<string[]> {
  const { stdout, stderr } = await run(process.execPath, ['tools/words.mjs', ...paths], repository);
  expect(stderr).toBe('');
  return stdout.split('\n').slice(0, -1);
}

const fileOf = (line: string): string => line.slice(0, line.indexOf(':'));

describe('words that the project avoids', () => {
  it('are in no file but those listed', async () => {
    const found = await wordsIn();
    expect(found.filter((line) => !PENDING.includes(fileOf(line)))).toEqual([]);
    const files = new Set(found.map(fileOf));
    expect(PENDING.filter((file) => !files.has(file))).toEqual([]);
  });

  it('are found in comments, texts and names, whatever their case', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nestjs-performance-words-'));
    const file = join(folder, 'text.ts');
    const texts: Record<string, string[]> = {
      '// whom it tells': ['tells'],
      "log('It is told anew');": ['told', 'anew'],
      'const wasToldLater = OWN_TOLD;': ['Told', 'TOLD'],
      'state.handOn(now);': ['hand On'],
      looks_on: ['looks on'],
      '/* pages that look\n * on */': ['look on'],
      'Whoever mends what is usually forgotten': ['Whoever', 'mends', 'usually', 'forgotten'],
      'until one lets in': ['lets in'],
      'Alerts of late: 20 at the most': ['of late', 'at the most'],
      'a retelling of unusual recommendations that amend companies': [],
      'a handler looks it up on time, at most 20 late ones': [],
      'emitter.hand(on); looks.on(1)': [],
    };
    try {
      for (const [text, words] of Object.entries(texts)) {
        writeFileSync(file, `\n${text}\n`);
        expect(await wordsIn(folder)).toEqual(words.map((word) => `${file}:2: ${word}`));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
