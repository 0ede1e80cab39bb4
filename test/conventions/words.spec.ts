import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { run } from '../packaging/processes';

/**
 * Files that still hold such words, as `node tools/words.mjs --files` prints them: this list only shrinks.
 */
const PENDING: readonly string[] = [
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'deploy/README.md',
  'deploy/alertmanager/alertmanager.yml',
  'deploy/grafana/src/overview.ts',
  'deploy/grafana/src/panels.ts',
  'deploy/grafana/src/regressions.ts',
  'deploy/prometheus/alerting.rules.yml',
  'deploy/prometheus/alerting.test.yml',
  'deploy/prometheus/prometheus.yml',
  'deploy/prometheus/recording.test.yml',
  'docs/concepts.md',
  'docs/getting-started.md',
  'docs/guides/existing-opentelemetry.md',
  'docs/reference/causes-and-findings.md',
  'docs/reference/command.md',
  'docs/reference/endpoint.md',
  'docs/reference/metrics.md',
  'docs/reference/options.md',
  'lib/cli/analyze/analysis.ts',
  'lib/cli/analyze/analyze.command.ts',
  'lib/cli/analyze/clock.ts',
  'lib/cli/analyze/interner.ts',
  'lib/cli/analyze/pauses.ts',
  'lib/cli/analyze/recorded-work.ts',
  'lib/cli/analyze/replay.ts',
  'lib/cli/analyze/service.ts',
  'lib/cli/analyze/span-reader.ts',
  'lib/cli/analyze/top-findings.ts',
  'lib/cli/analyze/trace-finding.ts',
  'lib/cli/analyze/trace-store.ts',
  'lib/cli/compare-words.ts',
  'lib/cli/compare.ts',
  'lib/cli/io.ts',
  'lib/cli/main.ts',
  'lib/cli/profile/profile.command.ts',
  'lib/cli/report.ts',
  'lib/cli/run.ts',
  'lib/cli/window-moments.ts',
  'lib/dashboard/build-overview.ts',
  'lib/dashboard/health.ts',
  'lib/dashboard/live-streams.ts',
  'lib/dashboard/overview.ts',
  'lib/dashboard/page/change.tsx',
  'lib/dashboard/page/connection.ts',
  'lib/dashboard/page/discoveries.ts',
  'lib/dashboard/page/held-order.ts',
  'lib/dashboard/page/lane-chart.tsx',
  'lib/dashboard/page/login.tsx',
  'lib/dashboard/page/nothing-yet.tsx',
  'lib/dashboard/page/operation-columns.tsx',
  'lib/dashboard/page/operation-page.tsx',
  'lib/dashboard/page/slow-page.tsx',
  'lib/dashboard/page/styles/detail.css',
  'lib/dashboard/page/styles/tables.css',
  'lib/dashboard/page/use-overview.ts',
  'lib/dashboard/page/usual.tsx',
  'lib/dashboard/resource-series.ts',
  'lib/nest/decorators/alert-listeners.ts',
  'lib/nest/decorators/on-performance-alert.decorator.ts',
  'lib/nest/decorators/tracked-operation.ts',
  'lib/nest/endpoint/baseline.controller.ts',
  'lib/nest/endpoint/endpoint-access.ts',
  'lib/nest/endpoint/endpoint.guard.ts',
  'lib/nest/endpoint/login.controller.ts',
  'lib/nest/endpoint/metrics.controller.ts',
  'lib/nest/endpoint/performance.controller.ts',
  'lib/nest/endpoint/profile-file.ts',
  'lib/nest/endpoint/profiles.controller.ts',
  'lib/nest/endpoint/route-kind.ts',
  'lib/nest/endpoint/same-origin.ts',
  'lib/nest/endpoint/token-bucket.ts',
  'lib/nest/performance.interceptor.ts',
  'lib/report/alert-schemas.ts',
  'lib/report/build-report.ts',
  'lib/report/change-schemas.ts',
  'lib/report/covered-time.ts',
  'lib/report/operation-schemas.ts',
  'lib/report/report-rows.ts',
  'lib/report/report-schema.ts',
  'lib/report/report-source.ts',
  'lib/report/report-words.ts',
  'lib/report/report.ts',
  'lib/report/reported-resources.ts',
  'lib/report/to-html.ts',
  'lib/report/to-markdown.ts',
  'lib/testing/blind-spots.ts',
  'lib/testing/matcher-result.ts',
  'lib/testing/recorder.ts',
  'lib/testing/recording.ts',
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
