import ts from 'typescript';
import { walk } from './program.mjs';
import { table } from './table.mjs';

/** What each name on a span means: unit, then description. */
const ATTRIBUTES = new Map([
  ['performance.slow', ['boolean', '`true` on a slow span; absent on others']],
  [
    'performance.operation.type',
    [
      'string',
      'The type of the operation: `http`, `database`, … or your own. Set it on a span of yours to choose its type',
    ],
  ],
  ['performance.threshold', ['ms', 'The threshold that the operation exceeded']],
  ['performance.duration', ['ms', 'The duration of the operation']],
  ['performance.slowness_ratio', ['ratio', 'Duration divided by threshold']],
  ['performance.self_time_ms', ['ms', 'The duration without the time in which at least one child span ran']],
  ['performance.cause', ['string', 'The first [cause](causes-and-findings.md#causes)']],
  ['performance.cause.share', ['ratio', 'Share of the duration that the first cause took, 0 to 1']],
  ['performance.explanation', ['string', 'The causes in words']],
  [
    'performance.call_site',
    ['string', 'The line of your code: `CatalogService.withTracks (src/catalog.service.ts:35)`'],
  ],
  [
    'performance.n_plus_one.statement',
    ['string', 'The statement or call that was repeated, without literals'],
  ],
  ['performance.n_plus_one.count', ['count', 'How often it was repeated']],
  ['performance.n_plus_one.total_ms', ['ms', 'How long the repetitions took together']],
  ['performance.baseline.p50_ms', ['ms', 'The baseline p50 of the operation']],
  ['performance.baseline.p95_ms', ['ms', 'The baseline p95 of the operation']],
  ['performance.baseline.ratio', ['ratio', 'Duration divided by the baseline p50']],
  ['performance.memory.heap_used_mb', ['MB', 'Heap in use when the operation ended, in MB of 2^20 bytes']],
  ['performance.memory.heap_total_mb', ['MB', 'Heap allocated when the operation ended']],
  ['performance.memory.rss_mb', ['MB', 'Resident set size when the operation ended']],
  ['performance.cpu.user_ms', ['ms', 'User CPU time of the process during the operation']],
  ['performance.cpu.system_ms', ['ms', 'System CPU time of the process during the operation']],
  ['performance.event_loop.utilization', ['ratio', 'Event loop utilization during the operation, 0 to 1']],
  ['performance.event_loop.delay_max_ms', ['ms', 'The longest event loop delay during the operation']],
  ['performance.gc.pause_ms', ['ms', 'Garbage collection pauses during the operation']],
  ['performance.cpu.thread_ms', ['ms', 'CPU time of the main thread during the operation. Linux only']],
  [
    'performance.cpu.run_delay_ms',
    ['ms', 'Time in which the main thread was ready to run and had no CPU. Linux only'],
  ],
  [
    'performance.cpu.throttled_ms',
    ['ms', 'Time in which a CPU limit stopped the container. Only in containers with a CPU limit'],
  ],
  ['performance.profile', ['string', 'The id of the CPU profile, for `/performance/profiles/:id`']],
  ['performance.heap_snapshot', ['string', 'The id of the heap snapshot, for `/performance/profiles/:id`']],
  [
    'performance.http.aborted',
    ['boolean', '`true` on an incoming request whose client disconnected before the response was complete'],
  ],
  [
    'performance.outcome_unknown',
    [
      'boolean',
      '`true` on the span of a measured method whose end was not seen: too many promises were pending',
    ],
  ],
  ['performance.queue.job', ['string', 'The name of a job']],
  ['performance.queue.attempt', ['count', 'Which attempt of the job it is, from 1']],
  ['performance.queue.wait_ms', ['ms', 'How long the job waited in its queue, without its delay']],
]);
const EVENTS = new Map([
  ['performance.profile_captured', ['event', 'A profile was captured: its id, type and file']],
]);
const ALERT_SPAN = new Map([
  [
    'performance.alert',
    ['span name', 'One span for each alert, where `alerts.notifiers.openTelemetry` is `true`'],
  ],
  ['performance.alert.id', ['string', 'The id of the alert']],
  ['performance.alert.rule', ['string', 'The name of the rule']],
  ['performance.alert.state', ['string', '`firing` or `resolved`']],
  ['performance.alert.severity', ['string', '`info`, `warning` or `critical`']],
  ['performance.alert.subject', ['string', 'What the alert is about, such as `GET /orders`']],
  ['performance.alert.value', ['number', 'The value that was compared']],
  ['performance.alert.threshold', ['number', 'The threshold of the rule']],
  ['performance.alert.unit', ['string', 'The unit of both']],
  ['performance.alert.fired_at', ['string', 'When the alert began to fire, ISO 8601']],
  ['performance.alert.summary', ['string', 'The alert in one sentence']],
  [
    'performance.alert.label.',
    ['string', 'One attribute for each label of the rule: `performance.alert.label.team`'],
  ],
]);
const DESCRIBED = new Map([...ATTRIBUTES, ...EVENTS, ...ALERT_SPAN]);

/**
 * The names on spans.
 * @param others names of metrics and of their labels, as Prometheus writes them: these are not on spans
 */
export function spanAttributeTables({ files }, others) {
  const set = new Set();
  walk(files, (node) => {
    const isText =
      ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateHead(node);
    if (isText && /^performance\.[a-z_.0-9]+$/.test(node.text)) set.add(node.text);
  });
  const unknown = [...set].filter((name) => !DESCRIBED.has(name) && !others.has(name.replaceAll('.', '_')));
  const gone = [...DESCRIBED.keys()].filter((name) => !set.has(name));
  if (unknown.length > 0 || gone.length > 0)
    throw new Error(
      `tools/docs/span-attributes.mjs does not describe [${unknown}], and describes [${gone}], which nothing sets`,
    );
  return [
    '## Slow operations',
    tableOf(new Map([...ATTRIBUTES, ...EVENTS])),
    '## Alerts',
    tableOf(ALERT_SPAN),
  ].join('\n\n');
}

function tableOf(names) {
  const rows = [...names].map(([name, [unit, meaning]]) => [
    `\`${name.endsWith('.') ? `${name}NAME` : name}\``,
    unit,
    meaning,
  ]);
  return table(['name', 'type or unit', 'meaning'], rows);
}
