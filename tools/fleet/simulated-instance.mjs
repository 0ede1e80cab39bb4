// An instance whose metrics are as ill as it is told: what takes hours in an application is there at once.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './deploy-files.mjs';

const PER_SECOND = 20;
/** The share of the requests that are slow, or fail. */
const ILL_SHARE = 0.5;
const MEAN_SECONDS = 0.2;
const HEAP_LIMIT = 4e9;

/** What an instance can suffer from. */
export const ILLNESSES = [
  'slow',
  'failing',
  'blocked',
  'heap',
  'leak',
  'regression',
  'burn fast',
  'burn slow',
  'overflow',
];

/** Starts one in its own process: a busy one would not respond to scrapes. */
export async function startSimulated(run) {
  const child = fork(fileURLToPath(new URL('simulated-server.mjs', import.meta.url)), { stdio: 'ignore' });
  run.onEnd(() => child.kill());
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('A simulated instance has ended')));
  // Once it has started, nobody waits for it.
  ended.catch(() => {});
  const [port] = await Promise.race([once(child, 'message'), ended]);
  let illnesses = [];
  let down = false;
  const send = () => child.send({ illnesses, down });
  return {
    address: `127.0.0.1:${port}`,
    /** It has these illnesses, and no others. */
    suffer(names) {
      illnesses = names;
      send();
    },
    /** Whether it responds. */
    setDown(value) {
      down = value;
      send();
    },
  };
}

/** Counts and exposes requests as time passes. */
export class Simulation {
  #counters = { requests: 0, failed: 0, slow: 0 };
  #last = performance.now();

  /** The text of a scrape. @param {Set<string>} illnesses */
  scrape(illnesses) {
    const requests = ((performance.now() - this.#last) / 1000) * PER_SECOND;
    this.#last = performance.now();
    const ill = (name) => (illnesses.has(name) ? requests * ILL_SHARE : 0);
    this.#counters.requests += requests;
    this.#counters.failed += ill('failing');
    this.#counters.slow += ill('slow');
    return expose(metrics(illnesses, this.#counters));
  }
}

function metrics(illnesses, { requests, failed, slow }) {
  const route = { http_request_method: 'GET', http_route: '/albums' };
  const operation = { performance_operation_type: 'http', performance_operation_name: 'GET /albums' };
  const burns = (window, fast, slowly) => [
    'performance_slo_burn_rate',
    { performance_slo_name: 'GET /albums', window },
    illnesses.has('burn fast') ? fast : illnesses.has('burn slow') ? slowly : 0,
  ];
  const lines = [
    [
      'http_server_request_duration_seconds_count',
      { ...route, http_response_status_code: '200' },
      requests - failed,
    ],
    ['http_server_request_duration_seconds_count', { ...route, http_response_status_code: '500' }, failed],
    ['performance_operation_duration_seconds_count', operation, requests],
    ['performance_operation_duration_seconds_sum', operation, requests * MEAN_SECONDS],
    ['performance_slow_operations_total', { ...operation, performance_cause: 'database' }, slow],
    ['nodejs_eventloop_delay_max_seconds', {}, illnesses.has('blocked') ? 0.4 : 0.01],
    ['v8js_memory_heap_used_bytes', {}, HEAP_LIMIT * (illnesses.has('heap') ? 0.95 : 0.3)],
    ['v8js_memory_heap_limit_bytes', {}, HEAP_LIMIT],
    ['performance_trends', { performance_trend_subject: 'operation' }, 0],
    ['performance_regressions', { performance_operation_type: 'http' }, illnesses.has('regression') ? 2 : 0],
    ['performance_baseline_ratio', operation, illnesses.has('regression') ? 2.5 : 1],
    [
      'performance_leaks',
      { performance_leak_memory: 'heap', performance_leak_state: 'confirmed' },
      illnesses.has('leak') ? 1 : 0,
    ],
    burns('5m', 20, 0),
    burns('30m', 20, 8),
    burns('1h', 20, 8),
    burns('6h', 20, 8),
    burns('3d', 20, 2),
  ];
  if (illnesses.has('overflow'))
    lines.push(['performance_operation_duration_seconds_count', { otel_metric_overflow: 'true' }, requests]);
  return lines;
}

const KNOWN = JSON.parse(readFileSync(join(ROOT, 'deploy/metric-names.json'), 'utf8'));

/** @throws Error for a metric or label that the application does not have */
export function expose(lines) {
  return lines
    .map(([name, labels, value]) => {
      const metric = [name, name.replace(/_(?:count|sum)$/, '')].find((one) => Object.hasOwn(KNOWN, one));
      const known = metric === undefined ? undefined : KNOWN[metric];
      for (const label of Object.keys(labels))
        if (!known?.labels.includes(label) && label !== 'otel_metric_overflow')
          throw new Error(`No such metric: ${name}{${label}}`);
      const text = Object.entries(labels).map(([label, of]) => `${label}="${of}"`);
      return `${name}{${text.join(',')}} ${value}\n`;
    })
    .join('');
}
