import { describe, expect, it } from '@jest/globals';
import { reasonOf } from '../../lib/async/thrown.js';
import { ExportHealth } from '../../lib/metrics/export-health.js';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';
import {
  connectionWithoutValues,
  originOf,
  withoutCredentials,
  withoutValues,
} from '../../lib/text/address.js';
import { SECRET } from './planted-statements.js';

const S = SECRET;
const errorOf = (...args: Parameters<typeof resolveOptions>): string => {
  try {
    resolveOptions(...args);
  } catch (error) {
    return String(error);
  }
  return '';
};

describe('addresses with credentials', () => {
  it.each([
    `redis://u:${S}@host:6379/0`,
    `rediss://:${S}@host`,
    `redis://u:a/${S}@host:6379`,
    `postgres://u:${S}@host:5432/app?sslpassword=${S}`,
    `postgresql://u:a#${S}@host/app`,
    `amqp://u:a?${S}@host/v`,
    `mongodb+srv://u:${S}@host/db?authSource=${S}`,
    `http://u:${S}@proxy:3128`,
    `https://host/path?token=${S}#${S}`,
    `https://hooks.slack.com/services/T0/B0/${S}`,
    `https://api.telegram.org/bot${S}/sendMessage`,
    `https://discord.com/api/webhooks/1/${S}`,
    `https://host/a;jsessionid=${S}`,
  ])('are shown without them: %s', (address) => {
    expect(withoutValues(address)).not.toContain(S);
    expect(originOf(address)).not.toContain(S);
    expect(connectionWithoutValues(address)).not.toContain(S);
    expect(withoutCredentials(`connect ECONNREFUSED ${address}`)).not.toContain(S);
    expect(reasonOf(new Error(`failed: ${address}`))).not.toContain(S);
  });

  it.each([
    ['https://host/mail/me@example.com', 'https://host/mail/me@example.com'],
    ['http://[::1]:80/a', 'http://[::1]:80/a'],
    ['mongodb://a:1,b:2/db', 'mongodb://a:1,b:2/db'],
    ['/a/b', '/a/b'],
    ['*', '*'],
    ['', ''],
  ])('without any are shown as they are: %s', (address, expected) => {
    expect(withoutValues(address)).toBe(expected);
    expect(withoutCredentials(address)).toBe(expected);
  });

  it.each([
    [`ENOENT: no such file or directory, open '/tmp/a.json'`],
    ['connect ECONNREFUSED 127.0.0.1:5432'],
    ['2 UNKNOWN: Unknown error at 10:20:30'],
    ['set OTEL_METRICS_EXPORTER=none to export none'],
  ])('are looked for, and the text without any does not change: %s', (text) => {
    expect(withoutCredentials(text)).toBe(text);
  });

  it.each([
    [`password=${S}`],
    [`{"api_key": "${S}"}`],
    [`authorization: Bearer ${S}`],
    [`Basic ${S}${S}==`],
    [`u:${S}@host:5432`],
  ])('and named secrets are removed from log lines: %s', (text) => {
    expect(withoutCredentials(text)).not.toContain(S);
  });

  it.each([
    `ftp://u:${S}@collector:4317`,
    `htps://hooks.slack.com/services/T0/B0/${S}`,
    `hooks.slack.com/services/T0/B0/${S}`,
    `u:${S}@collector:4317`,
    `ftp://collector/${S}`,
  ])('are in no error of an option or a variable: %s', (address) => {
    const errors = [
      errorOf({ tracing: { endpoint: address } }),
      errorOf({ metrics: { endpoint: address } }),
      errorOf({ profiling: { pyroscope: { url: address } } }),
      errorOf({ alerts: { notifiers: { webhook: { url: address } } } }),
      errorOf({ alerts: { notifiers: { alertmanager: { url: address } } } }),
      errorOf({}, { OTEL_EXPORTER_OTLP_ENDPOINT: address }),
      errorOf({}, { ENDPOINT: address }),
      errorOf({ httpThresholdMs: `redis://u:${S}@host` as never }),
    ];
    for (const error of errors) {
      expect(error).toContain('received');
      expect(error).not.toContain(S);
    }
  });

  it('name an endpoint in errors by its scheme and host', () => {
    expect(errorOf({ tracing: { endpoint: 'ftp://u:p@collector:4317/v1' } })).toContain(
      'received "ftp://collector:4317"',
    );
  });

  it('are not in the warnings of exports', () => {
    const lines: string[] = [];
    const log = { warn: (line: string) => lines.push(line), log: (line: string) => lines.push(line) };
    const health = new ExportHealth(
      'Spans',
      'They are lost.',
      `https://u:${S}@collector:4317/${S}?a=${S}`,
      log,
    );
    health.note({ code: 1, error: new Error(`connect https://u:${S}@collector:4317/ failed`) });
    health.note({ code: 0 });
    expect(lines).toEqual([
      'Spans cannot be exported to https://collector:4317 (connect https://collector:4317/ failed). They are lost. This warning is not repeated until an export succeeds.',
      'Spans are exported to https://collector:4317 again.',
    ]);
  });
});
