import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasPrometheus } from '../support/prometheus.js';
import { readYaml } from '../support/yaml.js';
import { DEPLOY, RULE_FILES, rules } from './expressions.js';

const FOLDER = join(DEPLOY, 'prometheus');
const TESTS = ['recording.test.yml', 'alerting.test.yml'];
const withPrometheus = hasPrometheus() ? describe : describe.skip;

interface RuleTests {
  tests: { promql_expr_test: { expr: string; exp_samples: { labels: string }[] }[] }[];
}

function promtool(...args: string[]): string {
  return execFileSync('promtool', args, { cwd: FOLDER, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

withPrometheus('promtool', () => {
  test('accepts the configuration and the rules', () => {
    expect(promtool('check', 'config', '--syntax-only', 'prometheus.yml')).toContain('SUCCESS');
    expect(promtool('check', 'rules', '--lint=all', '--lint-fatal', ...RULE_FILES)).toContain('SUCCESS');
  });

  test('finds every rule to do what its test says', () => {
    expect(promtool('test', 'rules', ...TESTS)).not.toContain('FAILED');
  });

  test('finds it when an alert does not fire', () => {
    const folder = mkdtempSync(join(tmpdir(), 'nestjs-performance-rules-'));
    try {
      for (const file of [...RULE_FILES, join(FOLDER, 'alerting.test.yml')]) {
        const text = readFileSync(file, 'utf8').replaceAll('> 14.4', '> 1440');
        writeFileSync(join(folder, file.slice(FOLDER.length)), text);
      }
      expect(() => promtool('test', 'rules', join(folder, 'alerting.test.yml'))).toThrow(
        'PerformanceSloBurnFast',
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the alerts', () => {
  const alerts = rules().filter(({ alert }) => alert !== undefined);
  const expected = readYaml<RuleTests>(join(FOLDER, 'alerting.test.yml'))
    .tests.flatMap((test) => test.promql_expr_test)
    .flatMap(({ exp_samples }) => exp_samples.map(({ labels }) => labels));

  test.each(alerts)('$alert fires in a test', ({ alert }) => {
    const firing = expected.filter((labels) => labels.includes(`alertname="${alert}", alertstate="firing"`));
    expect(firing.length).toBeGreaterThan(0);
  });

  test.each(alerts)('$alert says what is, what it means and what to do', ({ labels, annotations }) => {
    expect(labels?.['severity']).toMatch(/^(critical|warning)$/);
    expect(Object.keys(annotations ?? {}).sort()).toEqual(['action', 'dashboard', 'description', 'summary']);
    expect(annotations?.['summary']).toContain('{{ $labels.job }}');
    for (const text of ['action', 'description']) expect(annotations?.[text]?.length).toBeGreaterThan(40);
  });
});
